/** The signals of any process. */
import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { spawnProtected } from 'sigshield'
import { describe, expect, it } from 'vitest'
import { native } from '../../lib/native/load.js'
import { kill, type Signal, stateOf } from '../../lib/signals.js'
import { closed, echo, ended, line } from '../support/processes.js'
import { thrown } from '../support/refusal.js'
import { runSignals, well } from '../support/signal/signal-program.js'

/** That of a process that has been reaped. */
async function goneChild(): Promise<{ pid: number; startedAt: number }> {
  const child = ended(spawn('cat'))
  const { pid, startedAt } = stateOf(child.pid as number)
  const end = closed(child)
  child.stdin.end()
  await end
  return { pid, startedAt }
}

/** Where there is no /proc the addon asks. */
const asking = native().processTable ? 'sysctl' : 'open'
const gone = (syscall: string) => ({ name: 'Error', code: 'ESRCH', message: `${syscall} ESRCH` })

describe('stateOf', () => {
  it('tells what a child ignores and blocks, and whether it is filtered; a plain child for control', async () => {
    const options = { ignore: ['SIGTERM', 40] as Signal[], block: ['SIGHUP', 64] as Signal[], enforce: true }
    const child = ended(spawnProtected('cat', options))
    expect(stateOf(child.pid as number)).toMatchObject({
      ignored: ['SIGTERM', 40],
      blocked: ['SIGHUP', 64],
      caught: [],
      seccomp: 'filter',
    })
    const plain = stateOf(ended(spawn('cat')).pid as number)
    expect(plain).toMatchObject({ ignored: [], blocked: [], caught: [], pending: { thread: [], process: [] } })
    expect(plain).toMatchObject({ noNewPrivs: stateOf(process.pid).noNewPrivs, seccomp: stateOf(process.pid).seccomp })
  })

  it('tells what is pending, for the process', async () => {
    const child = ended(spawnProtected('cat', { block: ['SIGHUP', 40] as Signal[] }))
    child.kill('SIGHUP')
    expect(await echo(child, 'here')).toBe('here')
    expect(stateOf(child.pid as number).pending).toEqual({ thread: [], process: ['SIGHUP'] })
  })

  it('tells of this process, for the thread too', async () => {
    expect(
      await runSignals(`
        signals.withMask('block', ['SIGUSR2'], () => {
          signals.raise('SIGUSR2')
          const { blocked, pending, caught } = signals.stateOf(self)
          print([blocked, pending, caught.includes('SIGTERM')])
          signals.waitSync(['SIGUSR2'], 0)
        })`),
    ).toEqual(well([['SIGUSR2'], { thread: ['SIGUSR2'], process: [] }, true]))
  })

  it('is ESRCH for a process that is gone', async () => {
    const { pid } = await goneChild()
    expect(thrown(() => stateOf(pid))).toEqual(gone(asking))
  })
})

// Only who may make a mount namespace can hide them.
/** proc(5): a user sees the processes of others as forbidden (1), or not at all (2). */
describe.skipIf(spawnSync('unshare', ['--mount', 'true']).status !== 0)('where others are hidden', () => {
  it.each([
    ['1', 'EACCES'],
    ['2', 'ESRCH'],
  ])('hidepid=%s: %s', async (hidepid, expected) => {
    const code = `
      import { kill, stateOf } from '${import.meta.resolve('sigshield/signals')}'
      try { stateOf(${process.pid}) } catch (error) { console.log([error.code, error.message, error.syscall].join()) }
      try { kill(${process.pid}, 0, { startedAt: 1 }) } catch (error) { console.log([error.code, error.message].join()) }
      console.log(stateOf(process.pid).pid === process.pid)`
    const mounted = `mount -t proc -o hidepid=${hidepid} proc /proc && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"`
    const argv = ['--mount', 'sh', '-c', mounted, 'sh', process.execPath, '--input-type=module', '-e', code]
    const child = ended(spawn('unshare', argv, { cwd: '/', stdio: ['ignore', 'pipe', 'inherit'] }))
    const end = closed(child)
    expect(await line(child.stdout)).toBe(`${expected},open ${expected},open`)
    expect(await line(child.stdout)).toBe('EPERM,kill EPERM')
    expect(await line(child.stdout)).toBe('true')
    expect(await end).toEqual({ code: 0, signal: null })
  })
})

describe('kill', () => {
  it('reaches the process that was started then', async () => {
    const child = ended(spawn('cat'))
    const end = closed(child)
    const { pid, startedAt } = stateOf(child.pid as number)
    expect(kill(pid, 0, { startedAt })).toBe(true)
    expect(kill(pid, 'SIGTERM', { startedAt })).toBe(true)
    expect(await end).toEqual({ code: null, signal: 'SIGTERM' })
  })

  it('is ESRCH for another that has the number, and does not touch it', async () => {
    const child = ended(spawn('cat'))
    const { pid, startedAt } = stateOf(child.pid as number)
    expect(thrown(() => kill(pid, 'SIGTERM', { startedAt: startedAt - 1 }))).toEqual(gone('kill'))
    expect(await echo(child, 'lives')).toBe('lives')
  })

  it('tells that there is no descriptor to name it by, and signals nobody', async () => {
    const { said } = await runSignals(`
      import { closeSync, openSync } from 'node:fs'
      import { spawnSync } from 'node:child_process'
      const child = spawn('cat')
      const { startedAt } = signals.stateOf(child.pid)
      signals.kill(child.pid, 0, { startedAt })
      spawnSync('prlimit', ['--pid', String(self), '--nofile=64'])
      const open = []
      try { for (;;) open.push(openSync('/dev/null')) } catch {}
      try { signals.kill(child.pid, 'SIGTERM', { startedAt }) } catch ({ message }) { print(message) }
      for (const fd of open) closeSync(fd)
      child.stdin.end()
      print(await once(child, 'exit'))`)
    expect(said).toEqual(['kill EMFILE', [0, null]])
  })

  it('is ESRCH for one that ends while it is looked at', async () => {
    // Its number comes before its end. How often the end comes between two calls of one look is the system's to choose.
    const short = ended(spawn('sh', ['-c', 'for i in $(seq 500); do sleep 0.003 & echo $!; wait; done']))
    const end = closed(short)
    const outcomes = new Set<string>()
    for await (const number of createInterface(short.stdout)) {
      const pid = Number(number)
      try {
        const { startedAt } = stateOf(pid)
        for (;;) kill(pid, 0, { startedAt })
      } catch (error) {
        outcomes.add((error as NodeJS.ErrnoException).code as string)
      }
    }
    expect([...outcomes]).toEqual(['ESRCH'])
    expect(await end).toEqual({ code: 0, signal: null })
  })

  it('is ESRCH for one that is gone', async () => {
    const { pid, startedAt } = await goneChild()
    expect(thrown(() => kill(pid, 'SIGTERM', { startedAt }))).toEqual(gone('kill'))
  })
})
