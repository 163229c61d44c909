/** What a person at a terminal sees: Ctrl-C gives the parent its chance, and no child is left that nothing ends. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isAlive, SETSID, temporaryFolder, until } from '../support/processes.js'
import { Shell } from '../support/protect/shell.js'
import { CTRL_C, CTRL_Z } from '../support/terminal.js'

const CTRL_BACKSLASH = '\x1c'
const SIGINT = 130

/** Two levels: a shell that waits for its job. */
const job = (work: string) => `sh -c ${JSON.stringify(work)}; echo never`
const nap = job('echo up; exec sleep 1000')
/** Cleans up when it is told to, which takes it a while. */
const tidy = job(`trap 'sleep 0.3; echo tidied; exit' TERM; echo up; while :; do sleep 0.01; done`)
const deaf = job(`trap '' TERM; echo up; while :; do sleep 0.01; done`)
/** Ends by itself soon after the key. */
const work = job(`echo up; while [ ! -e "$0" ]; do sleep 0.01; done; echo done`)

/** A program that starts a job by a shell, as exec does. */
const program = (command: string, rest = '', how = 'const guard = protect()') => `
  import { exec, spawn } from 'node:child_process'
  import { protect, protectionOf, spawnProtected } from 'sigshield'
  ${how}
  setImmediate(() => console.log('ready'))
  const child = spawn(${JSON.stringify(command)}, { shell: true, stdio: 'inherit' })
  child.on('exit', (code, signal) => console.log('child', 'ended', code, signal))
  ${rest}`

/** Two presses within a second are one request. */
const later = () => new Promise((resolve) => setTimeout(resolve, 1100))

/** Said before it is ready. */
const sayPid = `console.log('pid', process.pid, '.')`
const pidOf = (shell: Shell) => Number(/pid (\d+) \./.exec(shell.terminal.screen)?.[1])

async function start(code: string, flags?: string): Promise<Shell> {
  const shell = await Shell.open()
  shell.module(code, flags)
  await shell.showsBoth('up', 'ready')
  return shell
}

describe('where nobody listens, Ctrl-C', () => {
  it('ends the tree of every child, and then the program by SIGINT', async () => {
    const shell = await start(program(nap))
    shell.press(CTRL_C)
    expect(await shell.ended()).toBe(SIGINT)
    expect(shell.living()).toEqual([])
  })

  it('without it the program alone would end (the control)', async () => {
    const how = `const { spawn: start } = { spawn: (file, options) => spawnProtected(file, options) }`
    const shell = await start(program(nap, '', how).replace('child = spawn(', 'child = start('))
    shell.press(CTRL_C)
    expect(await shell.ended()).toBe(SIGINT)
    expect(shell.living()).toHaveLength(2)
  })

  it('waits for what a job has to clean up, though the shell before it has gone', async () => {
    const shell = await start(program(tidy))
    shell.press(CTRL_C)
    await shell.shows('tidied')
    expect(await shell.ended()).toBe(SIGINT)
    expect(shell.living()).toEqual([])
  })

  it('pressed again, ends what hears nothing at once', async () => {
    const shell = await start(program(deaf, '', 'protect({ grace: 600_000 })'))
    shell.press(CTRL_C)
    await shell.shows('child ended')
    await later()
    shell.press(CTRL_C)
    expect(await shell.ended()).toBe(SIGINT)
    await shell.isEmpty()
  })

  it('ends also what is started while others end', async () => {
    const again = `child.on('exit', () => spawn('sleep', ['1000'], { stdio: 'inherit' }))`
    const shell = await start(program(tidy, again))
    shell.press(CTRL_C)
    expect(await shell.ended()).toBe(SIGINT)
    await shell.isEmpty()
  })
})

describe('where the program listens, Ctrl-C', () => {
  const finish = (file: string) => `
    process.on('SIGINT', async () => {
      console.log('heard')
      ;(await import('node:fs')).writeFileSync('${file}', '')
    })`

  it('is its chance: what it has begun is finished', async () => {
    const file = join(temporaryFolder(), 'go')
    const shell = await start(program(work.replaceAll('$0', file), finish(file)))
    shell.press(CTRL_C)
    await shell.shows('heard')
    await shell.shows('done')
    expect(await shell.ended()).toBe(0)
  })

  it('and would not be without protection (the control)', async () => {
    const file = join(temporaryFolder(), 'go')
    const shell = await start(program(work.replaceAll('$0', file), finish(file), ''))
    shell.press(CTRL_C)
    await shell.shows('child ended null SIGINT')
    expect(await shell.ended()).toBe(0)
  })

  it('and its exit at once takes the trees with it', async () => {
    const shell = await start(program(nap, `process.on('SIGINT', () => process.exit(3))`))
    shell.press(CTRL_C)
    expect(await shell.ended()).toBe(3)
    await shell.isEmpty()
  })

  it('which it forwards by kill() is a stop of the tree', async () => {
    const shell = await start(program(tidy, `process.on('SIGINT', () => child.kill('SIGINT'))`))
    shell.press(CTRL_C)
    await shell.showsBoth('child ended null SIGTERM', 'tidied')
    expect(await shell.ended()).toBe(0)
    expect(shell.living()).toEqual([])
  })

  it.each(['SIGTERM', 'SIGKILL'])('ends what a child has left behind that was ended by %s before', async (signal) => {
    const kill = `process.on('SIGUSR2', () => child.kill('${signal}')); setInterval(() => {}, 1000)`
    const shell = await start(program(nap, `${kill}; ${sayPid}`))
    process.kill(pidOf(shell), 'SIGUSR2')
    await shell.shows(`child ended null ${signal}`)
    shell.press(CTRL_C)
    await shell.ended()
    await shell.isEmpty()
  })

  it.each([
    [
      'node',
      `process.execPath, ['-e', 'require("child_process").spawn("sleep", ["1000"], { stdio: "ignore" }).unref()']`,
    ],
    [
      'python3',
      `'python3', ['-c', 'import subprocess as s; s.Popen(["sleep", "1000"], stdin=-3, stdout=-3, stderr=-3)']`,
    ],
  ])('ends what %s has left behind, which holds no exit pipe', async (_name, child) => {
    const shell = await Shell.open()
    shell.module(`
      import { spawn } from 'node:child_process'
      import { protect } from 'sigshield'
      protect()
      spawn(${child}, { stdio: 'inherit' }).on('exit', () => console.log('left', 'behind'))
      setInterval(() => {}, 1000)`)
    await shell.shows('left behind')
    shell.press(CTRL_C)
    expect(await shell.ended()).toBe(SIGINT)
    await shell.isEmpty()
  })

  it('ends all, though somebody has removed all listeners of SIGINT', async () => {
    const shell = await start(program(nap, `process.removeAllListeners('SIGINT')`))
    shell.press(CTRL_C)
    expect(await shell.ended()).toBe(SIGINT)
    await shell.isEmpty()
  })

  it('which it does not act on comes again, and ends the children', async () => {
    const shell = await start(program(deaf, `process.on('SIGINT', () => console.log('heard'))`))
    shell.press(CTRL_C)
    await shell.shows('heard')
    await later()
    shell.press(CTRL_C)
    await shell.shows('heard')
    await shell.shows('child ended null SIGKILL')
    expect(await shell.ended()).toBe(0)
    expect(shell.living()).toEqual([])
  })

  it('does not end what was started after it', async () => {
    const next = `spawn('echo next; read line; echo got it', { shell: true, stdio: 'inherit' })`
    const shell = await start(
      program(
        nap,
        `process.once('SIGINT', () => { child.kill('SIGKILL'); ${next} }).on('SIGINT', () => console.log('heard'))`,
      ),
    )
    shell.press(CTRL_C)
    await shell.shows('next')
    await later()
    shell.press(CTRL_C)
    await shell.shows('heard')
    shell.press('line\n')
    await shell.shows('got it')
  })
})

describe('other ends', () => {
  it('a program that is killed takes those with it that ignore SIGTERM too', async () => {
    const how = `protect({ ignore: ['SIGINT', 'SIGTERM'], grace: 600_000 })`
    const shell = await start(program('echo up; exec sleep 1000', sayPid, how))
    process.kill(pidOf(shell), 'SIGKILL')
    await shell.ended()
    await shell.isEmpty()
  })

  it('a program that is killed takes its children with it', async () => {
    const shell = await start(program(nap, sayPid))
    process.kill(pidOf(shell), 'SIGKILL')
    await shell.ended()
    await until(() => shell.living().length <= 1, 'the child has gone')
  })

  it('a closed window ends all', async () => {
    const shell = await start(program(nap))
    shell.terminal.close()
    await shell.isEmpty()
  })

  it('Ctrl-\\ ends all: SIGQUIT is not ignored', async () => {
    const shell = await start(program(nap))
    shell.press(CTRL_BACKSLASH)
    expect(await shell.ended()).toBe(131)
    await shell.isEmpty()
  })

  it('a daemon that a job has started in a session of its own goes on, as always', async () => {
    const shell = await start(program(`${SETSID} sh -c 'echo daemon $$ up; exec sleep 1000' & sleep 1000; echo never`))
    const pid = Number(/daemon (\d+) /.exec(shell.terminal.screen)?.[1])
    shell.press(CTRL_C)
    expect(await shell.ended()).toBe(SIGINT)
    expect([shell.living(), isAlive(pid)]).toEqual([[], true])
    process.kill(pid, 'SIGKILL')
  })

  it('a detached child outlives its parent, as always', async () => {
    const daemon = `spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' })`
    const shell = await start(
      program(nap, `const other = ${daemon}; other.unref(); console.log('daemon', other.pid, '.')`),
    )
    const pid = Number(/daemon (\d+) \./.exec(shell.terminal.screen)?.[1])
    shell.press(CTRL_C)
    expect(await shell.ended()).toBe(SIGINT)
    expect([shell.living(), isAlive(pid)]).toEqual([[], true])
    process.kill(pid, 'SIGKILL')
  })
})

describe('the terminal is the children’s too', () => {
  it('they read from it, as when a passphrase is asked for', async () => {
    const shell = await start(program('echo up; read line </dev/tty; echo "got $line"'))
    shell.press('secret\n')
    await shell.shows('got secret')
    expect(await shell.ended()).toBe(0)
  })

  it('Ctrl-Z stops all, and fg lets all go on', async () => {
    const shell = await start(program(job('echo up; read line && echo got it')))
    shell.press(CTRL_Z)
    expect(await shell.ended()).toBe(148)
    await shell.hasStopped()
    shell.type('fg')
    await shell.shows('node')
    shell.press('again\n')
    await shell.shows('got it')
    await shell.shows('never')
    expect(await shell.ended()).toBe(0)
  })
})
