/** `sigshield stop`: processes of others are asked, and killed. */
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { programs } from '../support/build-programs.js'
import { all, call, sigshield, started } from '../support/command.js'
import { processOf } from '../support/process-table.mjs'
import { closed, ended, isAlive, line, SETSID, until } from '../support/processes.js'
import { Terminal } from '../support/terminal.js'

/** Says what it gets; `leaves`: ends by the first. */
async function target(traps: string) {
  const child = ended(
    spawn('bash', ['-c', `${traps}; echo up; while :; do sleep 0.02; done`], { stdio: ['ignore', 'pipe', 'inherit'] }),
  )
  expect(await line(child.stdout)).toBe('up')
  return { child, pid: child.pid as number, end: closed(child) }
}

const dies = (pid: number) => {
  onTestFinished(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  })
  return pid
}

describe('one process', () => {
  it.each([
    ['SIGTERM, by its default action', `trap '' INT`, 'SIGTERM', { code: null, signal: 'SIGTERM' }],
    ['SIGTERM, which it handles', `trap 'exit 7' TERM`, 'SIGTERM', { code: 7, signal: null }],
    ['SIGINT, as it ignores SIGTERM', `trap '' TERM; trap 'exit 8' INT`, 'SIGINT', { code: 8, signal: null }],
    ['SIGHUP, as it ignores both', `trap '' TERM INT`, 'SIGHUP', { code: null, signal: 'SIGHUP' }],
    ['SIGQUIT, which it handles', `trap '' TERM INT HUP; trap 'exit 9' QUIT`, 'SIGQUIT', { code: 9, signal: null }],
  ])('is asked by %s', async (_title, traps, signal, exit) => {
    const { pid, end } = await target(traps)
    const { out, err, code } = await call(['stop', String(pid)])
    expect({ err, code }).toEqual({ err: '', code: 0 })
    expect(out).toMatch(
      new RegExp(`^${pid} bash -c trap [^\\n]*: ${signal}: ended after [\\d.]+ m?s(; its parent[^\\n]*)?\\n$`),
    )
    expect(await end).toEqual(exit)
  })

  it.each([
    ['takes its signals from a descriptor', 'signalfd', ['took 15'], { code: 0, signal: null }],
    ['has lost its first thread', 'leaderless', [], { code: null, signal: 'SIGTERM' }],
  ])('that %s is asked', async (_title, program, says, exit) => {
    const child = ended(spawn(join(programs, program), { stdio: ['ignore', 'pipe', 'inherit'] }))
    expect(await line(child.stdout)).toBe('up')
    const end = closed(child)
    const said = text(child.stdout as Readable)
    const { out, code } = await call(['stop', String(child.pid)])
    expect([out.replace(/after.*/s, 'after'), code]).toEqual([expect.stringMatching(/: SIGTERM: ended after$/), 0])
    expect((await said).split('\n').filter(Boolean)).toEqual(says)
    expect(await end).toEqual(exit)
  })

  it('is ended also where nothing can be written', async () => {
    const { child, pid, end } = await target(`trap 'echo term' TERM`)
    const full = openSync('/dev/full', 'w')
    const stop = spawn(sigshield, ['stop', '--grace', '300ms', String(pid)], { stdio: ['ignore', full, 'pipe'] })
    closeSync(full)
    const said = text(stop.stderr as Readable)
    expect(await line(child.stdout)).toBe('term')
    expect(await end).toEqual({ code: null, signal: 'SIGKILL' })
    expect(await closed(stop)).toEqual({ code: 1, signal: null })
    expect(await said).toMatch(/^sigshield: standard output: ENOSPC: [^\n]*\n$/)
  })

  it.skipIf(process.getuid?.() !== 0)(
    "that is another user's is refused by a dry run too: only root has another's",
    async () => {
      const { child, pid } = await target(`trap '' INT`)
      for (const args of [
        ['stop', '--dry-run', `${pid}`],
        ['stop', `${pid}`],
      ]) {
        const stop = spawn(sigshield, args, { stdio: ['ignore', 'ignore', 'pipe'], uid: 65534 })
        const said = text(stop.stderr as Readable)
        expect(await closed(stop)).toEqual({ code: 1, signal: null })
        expect(await said).toMatch(/not permitted: it is another user's/)
      }
      child.kill('SIGKILL')
    },
  )

  it('that hears nothing is killed', async () => {
    const { pid, end } = await target(`trap '' TERM INT HUP`)
    const { out, code } = await call(['stop', String(pid)])
    expect(code).toBe(0)
    expect(out).toMatch(/: hears no signal, SIGKILL: killed/)
    expect(await end).toEqual({ code: null, signal: 'SIGKILL' })
  })

  it('that does not leave is killed when the grace is over', async () => {
    const { child, pid, end } = await target(`trap 'echo term' TERM`)
    const said = call(['stop', '--grace', '300ms', String(pid)])
    expect(await line(child.stdout)).toBe('term')
    const { out, code } = await said
    expect(code).toBe(0)
    expect(out).toMatch(/: SIGTERM, no end in [\d.]+ m?s, SIGKILL: killed/)
    expect(await end).toEqual({ code: null, signal: 'SIGKILL' })
  })

  it('that is stopped is made to go on', async () => {
    const { pid, end } = await target(`trap 'exit 7' TERM`)
    process.kill(pid, 'SIGSTOP')
    await until(() => processOf(pid)?.state === 'T', 'it has stopped')
    const { out } = await call(['stop', String(pid)])
    expect(out).toContain(': SIGTERM, SIGCONT: ended after')
    expect(await end).toEqual({ code: 7, signal: null })
  })

  it('--signal names another; --grace 0 asks nobody', async () => {
    const one = await target(`trap 'exit 5' USR1`)
    expect((await call(['stop', '--signal', 'USR1', String(one.pid)])).out).toContain(': SIGUSR1: ended')
    expect(await one.end).toEqual({ code: 5, signal: null })
    const two = await target(`trap 'exit 5' TERM`)
    expect((await call(['stop', '--grace', '0', String(two.pid)])).out).toContain(': SIGKILL: killed')
    expect(await two.end).toEqual({ code: null, signal: 'SIGKILL' })
  })

  it('a thread that hears is heard, though the main thread blocks', async () => {
    const code = `
import os, signal, threading, time
threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
os.write(1, b"up\\n")
time.sleep(1000)`
    const child = ended(spawn('python3', ['-c', code], { stdio: ['ignore', 'pipe', 'inherit'] }))
    expect(await line(child.stdout)).toBe('up')
    const end = closed(child)
    expect((await call(['stop', String(child.pid)])).out).toContain(': SIGTERM: ended after')
    expect(await end).toEqual({ code: null, signal: 'SIGTERM' })
  })

  it('blocked by all its threads is not heard', async () => {
    const wrap = ['exec', '--ignore=none', '--block', 'TERM', '--', 'sleep', '1000']
    const child = ended(spawn(sigshield, wrap, { stdio: 'ignore' }))
    await until(() => processOf(child.pid as number)?.name === 'sleep', 'it is sleep')
    expect((await call(['stop', String(child.pid)])).out).toContain(': SIGINT: ended after')
  })

  it('a signal that it ignores is said to be one', async () => {
    const { pid, end } = await target(`trap '' INT; trap 'exit 6' TERM`)
    const { out } = await call(['stop', '--signal', 'INT', '--grace', '100ms', String(pid)])
    expect(out).toMatch(/: SIGINT \(which it ignores\), no end in [^,]+, SIGKILL: killed/)
    expect(await end).toEqual({ code: null, signal: 'SIGKILL' })
  })

  it('goes on when nobody reads what it says', async () => {
    const one = await target(`trap 'exit 3' TERM`)
    const two = await target(`trap 'sleep 0.5; exit 4' TERM`)
    await all(started('bash', ['-c', '"$@" | true', 'bash', sigshield, 'stop', String(one.pid), String(two.pid)]))
    expect([await one.end, await two.end]).toEqual([
      { code: 3, signal: null },
      { code: 4, signal: null },
    ])
  })

  it('--dry-run does nothing', async () => {
    const { child, pid } = await target(`trap 'echo term' TERM; trap 'echo int' INT`)
    const { out, code } = await call(['stop', '--dry-run', '--grace', '2s', String(pid)])
    expect(code).toBe(0)
    expect(out).toMatch(/: would send SIGTERM, and SIGKILL after 2 s\n$/)
    child.kill('SIGINT')
    expect(await line(child.stdout)).toBe('int')
  })

  it('that is not there, beside one that is', async () => {
    const { pid, end } = await target('trap : INT')
    const { out, err, code } = await call(['stop', '4194304', String(pid)])
    expect({ err, code }).toEqual({ err: '4194304: no such process\n', code: 1 })
    expect(out).toContain(`${pid} bash`)
    expect(await end).toEqual({ code: null, signal: 'SIGTERM' })
  })

  it('that waits to be reaped', async () => {
    // A bash that is still there when it ends would reap it.
    const script = `(until [ "$(ps -o ucomm= -p $$)" = sleep ]; do sleep 0.01; done; exec sleep 0) & echo $!; exec sleep 1000`
    const parent = ended(spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] }))
    const pid = Number(await line(parent.stdout))
    await until(() => processOf(pid)?.state === 'Z', 'it is a zombie')
    const { out, code } = await call(['stop', String(pid)])
    expect(code).toBe(0)
    expect(out).toBe(
      `${pid} [sleep]: has ended already: its parent, ${parent.pid} (sleep 1000), has not reaped it. End that to be rid of it\n`,
    )
  })

  it.runIf(process.getuid?.() === 0)('that is another’s', async () => {
    const { pid } = await target('trap : INT')
    const { err, code } = await all(started(sigshield, ['stop', String(pid)], { uid: 65534 }))
    expect(code).toBe(1)
    expect(err).toMatch(/: not permitted: it is another user's\n$/)
    expect(isAlive(pid)).toBe(true)
  })
})

describe('--tree', () => {
  it('ends all that has come of it, with a line each', async () => {
    const script = `sh -c 'trap "" TERM; echo $$; while :; do sleep 0.05; done' & ${SETSID} sleep 1000 & echo $!; echo $$; wait`
    const child = ended(spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] }))
    const pids = [0, 0, 0].map(() => 0)
    for (let i = 0; i < 3; i += 1) pids[i] = dies(Number(await line(child.stdout)))
    const end = closed(child)
    const { out, err, code } = await call(['stop', '--tree', '--grace', '1s', String(child.pid)])
    expect({ err, code }).toEqual({ err: '', code: 0 })
    for (const pid of pids) expect(out).toMatch(new RegExp(`^${pid} .*(ended|killed|had ended already)`, 'm'))
    expect(pids.filter(isAlive)).toEqual([])
    await end
  })

  it('without it they live on (the control)', async () => {
    const script = `sleep 1000 & echo $!; wait`
    const child = ended(spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] }))
    const pid = dies(Number(await line(child.stdout)))
    child.stdout?.destroy()
    await call(['stop', String(child.pid)])
    expect(isAlive(pid)).toBe(true)
  })
})

/** In a pid namespace of their own: nobody else's orphans are there. */
describe.runIf(process.getuid?.() === 0)('--orphans', () => {
  /** Runs `command` beside one orphan that ignores SIGINT and one that ignores nothing. */
  const beside = (command: string) => {
    const script = `
      setsid sh -c 'trap "" INT; sleep 1111 >/dev/null 2>&1 &'
      setsid python3 -c 'import os; os.fork() or os.execvp("sleep", ["sleep", "2222"])' >/dev/null
      ${command}
      echo "status $?"
      pgrep -a sleep`
    return ['unshare', '--pid', '--fork', '--mount-proc', 'sh', '-c', script] as const
  }
  const run = (command: string) => {
    const [program, ...args] = beside(command)
    return all(started(program, args))
  }

  it('--yes ends those that ps shows as orphaned, and no others', async () => {
    const { out } = await run(`${sigshield} stop --orphans --yes`)
    expect(out).toMatch(/^\d+ sleep 1111: SIGTERM: ended after [^\n]*\nstatus 0\n\d+ sleep 2222\n$/)
  })

  it('--dry-run says what it would do', async () => {
    const { out } = await run(`${sigshield} stop --orphans -n`)
    expect(out).toMatch(
      /^\d+ sleep 1111: would send SIGTERM, and SIGKILL after 5 s\nstatus 0\n\d+ sleep 1111\n\d+ sleep 2222\n$/,
    )
  })

  it('asks, and is refused where nobody can be asked', async () => {
    const { out, err } = await run(`${sigshield} stop --orphans`)
    expect(err).toMatch(/^sigshield stop: nobody can be asked, as stdin is no terminal/)
    expect(out).toMatch(/^status 2\n\d+ sleep 1111\n/)
  })

  it('none', async () => {
    const { out } = await run(`kill -9 $(pgrep -f 'sleep 1111'); ${sigshield} stop --orphans`)
    expect(out).toMatch(/^No orphaned process ignores or blocks INT or TERM\.\nstatus 0\n/)
  })

  it.each([
    ['y', 0],
    ['n', 1],
    ['', 1],
  ])('at a terminal, answered by "%s"', async (answer, status) => {
    const [program, ...args] = beside(`${sigshield} stop --orphans`)
    const terminal = new Terminal(program, args)
    await terminal.shows('End this process? [y/N] ')
    terminal.type(`${answer}\n`)
    await terminal.shows(`status ${status}`)
    await terminal.exit
    expect(terminal.screen.split(`status ${status}`)[1]?.includes('sleep 1111')).toBe(status === 1)
  })
})
