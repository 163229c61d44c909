import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { ExitEvent, spawnProtected } from 'sigshield'
import { describe, expect, it } from 'vitest'
import { Polled } from '../../lib/event/polled.js'
import { ExitEvent as LocalExitEvent } from '../../lib/exit-event.js'
import { NodeProgram } from '../support/node-program.js'
import { echo, ended, line } from '../support/processes.js'

describe('a process that waits stays alive', () => {
  it.each([
    ['without an event of its own', `import { exitEvent } from 'sigshield/child'; const event = exitEvent()`],
    ['for an event that it sets itself', `import { ExitEvent } from 'sigshield'; const event = new ExitEvent()`],
  ])('%s', async (_which, code) => {
    const program = new NodeProgram(`${code}
      process.on('SIGUSR2', () => console.log('alive'))
      const waiting = event.wait()
      console.log('waiting')
      await waiting`)
    await program.says('waiting')
    program.kill('SIGUSR2')
    await program.says('alive')
    program.kill('SIGUSR2')
    await program.says('alive')
    program.kill('SIGTERM')
    expect(await program.end()).toEqual({ rest: [], code: null, signal: 'SIGTERM' })
  })

  it('and ends when the wait is over', async () => {
    const program = new NodeProgram(`
      import { ExitEvent } from 'sigshield'
      const event = new ExitEvent()
      const waits = [event.wait(), event.wait(1), event.wait(600_000)]
      event.wait(1).then(() => event.set())
      console.log(JSON.stringify(await Promise.all(waits)))`)
    expect(await program.end()).toEqual({ rest: ['[true,false,true]'], code: 0, signal: null })
  })
})

describe('set between two looks, where no thread tells of it', () => {
  /** Each look takes one of these; the last stays. */
  const looking = (...states: number[]) => {
    const look = () => (states.length > 1 ? states.shift() : states[0])
    return new LocalExitEvent(Object.assign(Object.create(Polled.prototype), { look }))
  }

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('a wait ends, after %i looks', async (looks) => {
    const event = looking(...Array(looks).fill(0), 2)
    expect([await event.wait(), event.reason]).toEqual([true, 'orphaned'])
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('its signal aborts, after %i looks', async (looks) => {
    const { signal } = looking(...Array(looks).fill(0), 2)
    if (!signal.aborted) await once(signal, 'abort')
    expect(signal.reason).toMatchObject({ cause: 'orphaned' })
  })
})

describe('an event that the program has dropped', () => {
  const script = `echo ready; while read -r line; do
    if read -t 0 -u $SIGSHIELD_EXIT_FD; then echo set; else echo "$line"; fi; done`

  function start() {
    return ended(spawnProtected('bash', ['-c', script], { exitEvent: new ExitEvent() }))
  }

  it('does not fire when it is collected, while its parent lives', async () => {
    const child = start()
    expect(await line(child.stdout)).toBe('ready')
    for (let i = 0; i < 3; i += 1) {
      globalThis.gc?.()
      await new Promise(setImmediate)
    }
    expect(await echo(child, 'unset')).toBe('unset')
    child.exitEvent?.set()
    expect(await echo(child, 'unset')).toBe('set')
  })

  it('nor when the child has gone, and its own children live on', async () => {
    // At the end of a child Node closes its stdin, and nothing else.
    const stdio: ['ignore', 'pipe', 'inherit', 'pipe'] = ['ignore', 'pipe', 'inherit', 'pipe']
    const holder = ended(
      spawnProtected('bash', ['-c', `(${script}) <&3 & exit 0`], { exitEvent: new ExitEvent(), stdio }),
    )
    const descendant = { stdin: holder.stdio[3] as Writable, stdout: holder.stdout }
    const end = once(holder, 'exit')
    const ready = line(holder.stdout)
    await end
    expect(await ready).toBe('ready')
    for (let i = 0; i < 3; i += 1) {
      globalThis.gc?.()
      await new Promise(setImmediate)
    }
    expect(await echo(descendant, 'unset')).toBe('unset')
    holder.exitEvent?.set()
    expect(await echo(descendant, 'unset')).toBe('set')
    const closed = once(holder, 'close')
    descendant.stdin.end()
    await closed
  })
})

it('is one for each child: what one does to its pipe spoils it for no other', async () => {
  const event = new ExitEvent()
  const script = (attack: string) => `import fcntl, os, select, sys
fd = int(os.environ['SIGSHIELD_EXIT_FD'])
${attack}
print('done', flush=True)
select.select([fd], [], [])
print('requested' if os.fstat(fd).st_mode & 0o111 or fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_APPEND else 'orphaned', flush=True)`
  const attacks = [
    // Fills the pipe: the parent must not be held up.
    `try:
  w = os.open(f'/proc/self/fd/{fd}', os.O_WRONLY | os.O_NONBLOCK)
  while True: os.write(w, b'x' * 4096)
except OSError: pass`,
    // Plants the mark and a line.
    `try:
  os.fchmod(fd, 0o777)
  os.write(os.open(f'/proc/self/fd/{fd}', os.O_WRONLY), b'exit requested')
except OSError: pass`,
    'pass',
  ]
  const children = attacks.map((attack) =>
    ended(spawnProtected('python3', ['-c', script(attack)], { exitEvent: event })),
  )
  // All at once: what nobody reads of a child that has ended is thrown away.
  expect(await Promise.all(children.map((child) => line(child.stdout)))).toEqual(['done', 'done', 'done'])
  const quiet = children[2] as (typeof children)[number]
  const told = line(quiet.stdout)
  expect(event.isSet()).toBe(false)
  event.set()
  expect(await told).toBe('requested')
})
