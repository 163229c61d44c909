import { describe, expect, it } from 'vitest'
import { CTRL_C, Terminal } from '../support/terminal.js'

/** Runs a Node module, and then says whether the terminal echoes what is typed. */
function shell(code: string): Terminal {
  const script = `node --input-type=module -e "$0"; echo "status $?"; stty -a | tr ' ' '\\n' | grep -Ex -e '-?(icanon|echo|isig);?' | tr '\\n' ' '; echo over`
  return new Terminal('bash', ['-c', script, code])
}

/** What `stty` said, in its own order. */
async function modesAfter(terminal: Terminal): Promise<string[]> {
  await terminal.shows('over')
  const [line = ''] = terminal.screen.split('\n').filter((text) => text.includes('over'))
  return line
    .replace(/;/g, '')
    .trim()
    .split(/\s+/)
    .filter((word) => word !== 'over')
    .sort()
}

const usable = ['echo', 'icanon', 'isig']

describe('the terminal is as it was', () => {
  it('after a process in raw mode that a signal ends', async () => {
    const terminal = shell(`
      import { Supervisor } from 'sigshield'
      const supervisor = new Supervisor()
      supervisor.handleSignals()
      process.stdin.setRawMode(true)
      supervisor.spawn('sleep', ['1000'], { stdio: 'ignore' })
      process.stdin.on('data', () => process.kill(process.pid, 'SIGTERM'))
      console.log('raw')`)
    await terminal.shows('raw')
    terminal.type('x')
    await terminal.shows('status 143')
    expect(await modesAfter(terminal)).toEqual(usable)
  })

  it('which leaves it raw when it is killed (the control)', async () => {
    const terminal = shell(`
      process.stdin.setRawMode(true)
      process.stdin.on('data', () => process.kill(process.pid, 'SIGKILL'))
      console.log('raw')`)
    await terminal.shows('raw')
    terminal.type('x')
    await terminal.shows('status 137')
    expect(await modesAfter(terminal)).toEqual(['-echo', '-icanon', '-isig'])
  })

  it('after a child in raw mode that its supervisor has ended', async () => {
    const terminal = shell(`
      import { Supervisor } from 'sigshield'
      const supervisor = new Supervisor({ grace: 200 })
      supervisor.handleSignals()
      supervisor.spawn('bash', ['-c', 'stty raw -echo; echo raw; while :; do sleep 0.01; done'], { stdio: 'inherit' })
      process.on('SIGUSR2', () => {})
      console.log('pid ' + process.pid + ' is up')`)
    await terminal.shows('raw')
    await terminal.shows(' is up')
    const pid = Number(/pid (\d+)/.exec(terminal.screen)?.[1])
    process.kill(pid, 'SIGTERM')
    await terminal.shows('status 143')
    expect(await modesAfter(terminal)).toEqual(usable)
  })

  /** The parent looks at once: at its own exit Node puts back what it found at its start. */
  const foreground = (end: string) => `
    import { execFileSync } from 'node:child_process'
    import { spawnProtected } from 'sigshield'
    const child = spawnProtected('bash', ['-c', 'stty raw -echo; echo raw; ${end}'], { stdio: 'inherit', foreground: true })
    child.on('exit', (code, signal) => {
      const modes = execFileSync('stty', ['-a'], { stdio: ['inherit', 'pipe', 'inherit'], encoding: 'utf8' })
      console.log('ended ' + code + ' ' + signal + ' ' + /-?icanon/.exec(modes) + ' ' + /-?echo(?= )/.exec(modes))
    })`

  it('after a foreground child that was killed in raw mode', async () => {
    await shell(foreground('kill -KILL $$')).shows('ended null SIGKILL icanon echo')
  })

  it('but not after one that ended by itself: that is how it wants it (the control)', async () => {
    await shell(foreground('exit 0')).shows('ended 0 null -icanon -echo')
  })
})

it('Ctrl-C ends a foreground child, by default', async () => {
  const terminal = shell(`
    import { spawnProtected } from 'sigshield'
    const child = spawnProtected('bash', ['-c', 'echo up; exec sleep 1000'], { stdio: 'inherit', foreground: true })
    child.on('exit', (code, signal) => console.log('ended ' + code + ' ' + signal))`)
  await terminal.shows('up')
  terminal.type(CTRL_C)
  await terminal.shows('ended null SIGINT')
})
