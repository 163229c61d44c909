import childProcess from 'node:child_process'
import { EventEmitter, on, once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { ExitEvent, forkProtected, spawnProtected } from 'sigshield'
import { exitEvent } from 'sigshield/child'
import { describe, expect, it, onTestFinished } from 'vitest'
import { closed, echo, ended, line, until } from '../support/processes.js'

const worker = join(import.meta.dirname, '../support/exit-event/worker.mjs')
const parent = join(import.meta.dirname, '../support/exit-event/parent.mjs')

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

describe('the thread that watches in a Node worker', () => {
  /** What the kernel says of the threads that `before` does not list. */
  const newThreads = (pid: number, before: string[]) =>
    readdirSync(`/proc/${pid}/task`)
      .filter((thread) => !before.includes(thread))
      .flatMap((thread) => {
        try {
          return [readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1')]
        } catch {
          // Ended since the folder was read.
          return []
        }
      })
  const field = (status: string | undefined, name: string) =>
    new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status ?? '')?.[1]

  it('takes no signals, sleeps until the event, and is gone after it', async () => {
    const event = newEvent()
    const code = `import { readdirSync } from 'node:fs'
      import { exitEvent } from 'sigshield/child'
      const threads = () => readdirSync('/proc/self/task')
      const event = exitEvent()
      const before = threads()
      event.isSet()
      console.log(JSON.stringify(before))
      process.stdin.on('data', (data) => process.stdout.write(data))`
    const args = ['--input-type=module', '-e', code]
    const child = ended(
      spawnProtected(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], exitEvent: event }),
    )
    const pid = child.pid as number
    const before = JSON.parse(await line(child.stdout))
    await until(() => field(newThreads(pid, before)[0], 'State') === 'S (sleeping)', 'the thread waits')
    const threads = newThreads(pid, before)
    expect(threads).toHaveLength(1)
    // All but SIGKILL and SIGSTOP, and the two that libc keeps for itself.
    expect(field(threads[0], 'SigBlk')).toBe('fffffffe7ffbfeff')
    // It is not woken by what the worker does meanwhile.
    for (let i = 0; i < 100; i += 1) expect(await echo(child, String(i))).toBe(String(i))
    const after = newThreads(pid, before)
    for (const switches of ['voluntary_ctxt_switches', 'nonvoluntary_ctxt_switches']) {
      expect(field(after[0], switches)).toBe(field(threads[0], switches))
    }
    event.set()
    await until(() => newThreads(pid, before).length === 0, 'the thread has ended')
    const end = closed(child)
    child.stdin?.end()
    expect(await end).toEqual({ code: 0, signal: null })
  })

  it('leaves setuid() its signal, for which that waits in every thread', async () => {
    const code = `import { exitEvent } from 'sigshield/child'
      exitEvent().isSet()
      process.setuid(process.getuid())
      console.log('set')`
    const child = ended(
      spawnProtected(process.execPath, ['--input-type=module', '-e', code], { exitEvent: newEvent() }),
    )
    const end = closed(child)
    expect(await text(child.stdout)).toBe('set\n')
    expect(await end).toEqual({ code: 0, signal: null })
  })

  it('is one for each environment: worker threads see the event too', async () => {
    const event = newEvent()
    const child = await startThreads(event)
    child.send('wait')
    expect(await once(child, 'message')).toEqual(['waiting', undefined])
    event.set()
    expect(await once(child, 'message')).toEqual([['requested', 'requested'], undefined])
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('does not hold up the end of a worker thread, nor does waitSync()', async () => {
    const child = await startThreads(newEvent())
    child.send('terminate')
    expect(await once(child, 'message')).toEqual([[1, 1], undefined])
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  async function startThreads(event: ExitEvent) {
    const child = ended(
      forkProtected(join(import.meta.dirname, '../support/exit-event/threads.mjs'), { exitEvent: event }),
    )
    expect(await once(child, 'message')).toEqual(['ready', undefined])
    return child
  }
})

describe('its AbortSignal ends', () => {
  const reason = { name: 'AbortError', cause: 'requested' }

  it('a timer', async () => {
    const event = newEvent()
    const timer = delay(60_000, undefined, { signal: event.signal })
    event.set()
    await expect(timer).rejects.toMatchObject({ code: 'ABORT_ERR', cause: reason })
  })

  it('a fetch', async () => {
    const event = newEvent()
    const server = createServer(() => event.set()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await expect(fetch(`http://127.0.0.1:${port}`, { signal: event.signal })).rejects.toMatchObject(reason)
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })

  it('a pipeline of streams', async () => {
    const event = newEvent()
    const running = pipeline(new PassThrough(), new PassThrough(), { signal: event.signal })
    event.set()
    await expect(running).rejects.toMatchObject({ code: 'ABORT_ERR', cause: reason })
  })

  it('a loop over events, after those that have come', async () => {
    const event = newEvent()
    const emitter = new EventEmitter()
    const seen: number[] = []
    const loop = (async () => {
      for await (const [value] of on(emitter, 'value', { signal: event.signal })) seen.push(value)
    })()
    emitter.emit('value', 1)
    emitter.emit('value', 2)
    event.set()
    await expect(loop).rejects.toMatchObject({ code: 'ABORT_ERR', cause: reason })
    expect(seen).toEqual([1, 2])
  })

  it('nothing twice: one listener hears it once', async () => {
    const event = newEvent()
    let heard = 0
    event.signal.addEventListener('abort', () => {
      heard += 1
      event.set()
    })
    event.set()
    event.set()
    expect([heard, event.signal.aborted]).toEqual([1, true])
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

it('set() wakes a batch of Node workers, each as the parent asks', async () => {
  const event = newEvent()
  const workers = Array.from({ length: 12 }, () => ended(forkProtected(worker, { exitEvent: event })))
  await Promise.all(workers.map((child) => once(child, 'message')))
  const waiting = workers.map((child) => once(child, 'message'))
  for (const child of workers) child.send('wait')
  await Promise.all(waiting)
  const answers = workers.map((child) => once(child, 'message'))
  event.set()
  for (const answer of answers) expect(await answer).toEqual([{ way: 'wait', reason: 'requested' }, undefined])
  await Promise.all(workers.map((child) => child.exitCode ?? once(child, 'exit')))
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
