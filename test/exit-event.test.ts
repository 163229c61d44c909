import childProcess from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ExitEvent, forkProtected, spawnProtected } from 'sigshield'
import { exitEvent } from 'sigshield/child'
import { describe, expect, it, onTestFinished } from 'vitest'
import { closed, echo, ended, line, until } from './support/processes.js'

const worker = join(import.meta.dirname, 'support/exit-event-worker.mjs')
const parent = join(import.meta.dirname, 'support/exit-event-parent.mjs')

/** Set in the end, whatever the test did with it: an event holds a pipe until then. */
function newEvent(): ExitEvent {
  const event = new ExitEvent()
  onTestFinished(() => event.set())
  return event
}

describe('in the parent', () => {
  it('is unset, then set for ever', async () => {
    const event = newEvent()
    expect([event.isSet(), event.reason, event.signal.aborted]).toEqual([false, undefined, false])
    event.set()
    event.set()
    expect([event.isSet(), event.reason, event.signal.aborted]).toEqual([true, 'requested', true])
    expect(event.signal.reason).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'requested' })
    expect([await event.wait(), event.waitSync()]).toEqual([true, true])
  })

  it('wait() ends with the event, or false with its time-out', async () => {
    const event = newEvent()
    expect(await event.wait(0)).toBe(false)
    expect(await event.wait(5)).toBe(false)
    expect(event.waitSync(5)).toBe(false)
    const [long, forEver] = [event.wait(60_000), event.wait()]
    event.set()
    expect([await long, await forEver]).toEqual([true, true])
  })

  it.each([
    [-1, 'ERR_OUT_OF_RANGE'],
    [Number.NaN, 'ERR_OUT_OF_RANGE'],
    [2 ** 31, 'ERR_OUT_OF_RANGE'],
    ['1', 'ERR_INVALID_ARG_TYPE'],
    [null, 'ERR_INVALID_ARG_TYPE'],
  ])('refuses to wait for %j ms', async (timeout, code) => {
    const event = newEvent()
    await expect(event.wait(timeout as number)).rejects.toMatchObject({ code })
    expect(() => event.waitSync(timeout as number)).toThrow(expect.objectContaining({ code }))
  })

  it('refuses a waitSync() that could never end', () => {
    expect(() => newEvent().waitSync()).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }))
  })
})

describe('in a Node worker', () => {
  async function start(event: ExitEvent) {
    const child = ended(forkProtected(worker, { exitEvent: event }))
    expect(await once(child, 'message')).toEqual([{ connected: true, isSet: false, aborted: false }, undefined])
    return child
  }

  it.each(['wait', 'waitSync', 'signal', 'isSet'])('%s tells that the parent has set it', async (way) => {
    const event = newEvent()
    const child = await start(event)
    child.send(way)
    expect(await once(child, 'message')).toEqual(['waiting', undefined])
    event.set()
    expect(await once(child, 'message')).toEqual([{ way, reason: 'requested' }, undefined])
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('is set already in a worker that starts after set()', async () => {
    const event = newEvent()
    event.set()
    const child = ended(forkProtected(worker, { exitEvent: event }))
    expect(await once(child, 'message')).toEqual([{ connected: true, isSet: true, aborted: true }, undefined])
  })

  it('does not keep a worker alive that does not wait', async () => {
    const child = await start(newEvent())
    child.disconnect()
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('keeps a worker alive that waits', async () => {
    const event = newEvent()
    const child = await start(event)
    child.send('wait')
    expect(await once(child, 'message')).toEqual(['waiting', undefined])
    child.disconnect()
    // Unless the wait kept it alive, the worker would end now, with code 13 for a promise that is never settled.
    await delay(200) // Only gives it time to go wrong: the code below tells, however long this takes.
    event.set()
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('can be set by the parent alone', async () => {
    const child = await start(newEvent())
    child.send('set')
    expect(await once(child, 'message')).toEqual([{ code: 'ERR_INVALID_STATE' }, undefined])
  })
})

describe('when the parent is gone', () => {
  it.each([
    ['SIGKILL', 'orphaned'],
    ['exit', 'orphaned'],
    ['crash', 'orphaned'],
    ['set and exit', 'requested'],
  ])('by %s, its workers see: %s', async (end, reason) => {
    const middle = ended(childProcess.spawn(process.execPath, [parent], { stdio: ['pipe', 'pipe', 'ignore'] }))
    expect(await line(middle.stdout)).toBe('ready')
    if (end === 'SIGKILL') {
      middle.kill('SIGKILL')
    } else {
      middle.stdin.write(`${end}\n`)
    }
    // Both workers hold the pipe: its end is theirs.
    expect([await line(middle.stdout), await line(middle.stdout)].sort()).toEqual([
      `node ${reason}`,
      `python ${reason}`,
    ])
    await closed(middle)
  })
})

describe('a program in another language', () => {
  it('polls the descriptor that its environment names', async () => {
    const event = newEvent()
    const script =
      'import os,select\nfd=int(os.environ["SIGSHIELD_EXIT_FD"])\nprint("ready",flush=True)\nselect.select([fd],[],[])\nprint(os.read(fd,99))'
    const child = ended(spawnProtected('python3', ['-c', script], { exitEvent: event }))
    expect(await line(child.stdout)).toBe('ready')
    event.set()
    expect(await line(child.stdout)).toBe(String.raw`b'exit requested\n'`)
    expect(await closed(child)).toEqual({ code: 0, signal: null })
  })
})

it('set() with a thousand children wakes them all at once', async () => {
  const event = newEvent()
  const children = Array.from({ length: 1000 }, () =>
    ended(
      spawnProtected('sh', ['-c', 'read -r line <&$SIGSHIELD_EXIT_FD; exit 7'], { exitEvent: event, stdio: 'ignore' }),
    ),
  )
  const exits = Promise.all(children.map((child) => once(child, 'exit')))
  event.set()
  expect((await exits).every(([code]) => code === 7)).toBe(true)
})

it('is never set, and not connected, in a process that was given none', () => {
  const event = exitEvent()
  expect([event.connected, event.isSet(), event.signal.aborted, event.waitSync(1)]).toEqual([
    false,
    false,
    false,
    false,
  ])
  expect(exitEvent()).toBe(event)
})

it('a variable left over from elsewhere is not mistaken for an event', async () => {
  const event = newEvent()
  const child = ended(spawnProtected('cat', { exitEvent: event }))
  await echo(child, 'running')
  // The variables of a living event, but another pipe at the number that they name.
  const stale = ended(
    childProcess.fork(worker, {
      env: { ...process.env, SIGSHIELD_EXIT_FD: '0', SIGSHIELD_EXIT_INODE: '1' },
      stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
    }),
  )
  expect(await once(stale, 'message')).toEqual([{ connected: false, isSet: false, aborted: false }, undefined])
  await until(() => !event.isSet(), 'the event is unset')
})
