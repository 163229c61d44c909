/** What one child does with its end of the exit event spoils it for no other. */
import { once } from 'node:events'
import { join } from 'node:path'
import { ExitEvent, forkProtected, spawnProtected } from 'sigshield'
import { describe, expect, it, onTestFinished } from 'vitest'
import { processOf } from '../support/process-table.mjs'
import { closed, ended, line, until } from '../support/processes.js'

const worker = join(import.meta.dirname, '../support/exit-event/worker.mjs')

function newEvent(): ExitEvent {
  const event = new ExitEvent()
  onTestFinished(() => event.set())
  return event
}

/** A worker that has looked at the event, unset, and now waits to be told how to wait for it. */
async function startWorker(event: ExitEvent) {
  const child = ended(forkProtected(worker, { exitEvent: event }))
  expect(await once(child, 'message')).toEqual([{ connected: true, isSet: false, aborted: false }, undefined])
  return child
}

/** Python with its end of the pipe as `fd`; prints what the expressions give. */
function python(event: ExitEvent, ...expressions: string[]) {
  const attempt = (expression: string) => `
try: print(${expression}, flush=True)
except OSError as error: print(errno.errorcode[error.errno], flush=True)`
  const script = `import errno, fcntl, os, select\nfd = int(os.environ["SIGSHIELD_EXIT_FD"])${expressions.map(attempt).join('')}`
  const child = spawnProtected('python3', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'], exitEvent: event })
  return ended(child)
}

/** The event still works, both ways: it was not set until now, and now it is. */
async function expectUnspoilt(event: ExitEvent, other: Awaited<ReturnType<typeof startWorker>>): Promise<void> {
  const late = await startWorker(event)
  for (const child of [other, late]) {
    const way = 'wait'
    child.send(way)
    expect(await once(child, 'message')).toEqual(['waiting', undefined])
  }
  const answers = [other, late].map((child) => once(child, 'message'))
  event.set()
  expect(await Promise.all(answers)).toEqual(Array(2).fill([{ way: 'wait', reason: 'requested' }, undefined]))
}

describe('before the event is set, a child that', () => {
  it.each([
    ['writes to it', ['os.write(fd, b"exit requested\\n")'], ['EBADF']],
    ['closes it', ['os.close(fd)'], ['None']],
    ['reads it', ['os.set_blocking(fd, False)', 'os.read(fd, 99)'], ['None', 'EAGAIN']],
    ['shuts it down as if it were a socket', ['__import__("socket").socket(fileno=fd).shutdown(2)'], ['ENOTSOCK']],
    ['asks for signals from it', ['fcntl.fcntl(fd, fcntl.F_SETFL, os.O_ASYNC)'], ['0']],
  ])('%s', async (_does, expressions, printed) => {
    const event = newEvent()
    const other = await startWorker(event)
    const hostile = python(event, ...expressions)
    for (const expected of printed) expect(await line(hostile.stdout)).toBe(expected)
    expect(await closed(hostile)).toEqual({ code: 0, signal: null })
    expect(event.isSet()).toBe(false)
    await expectUnspoilt(event, other)
  })

  it('is killed while it reads it', async () => {
    const event = newEvent()
    const other = await startWorker(event)
    const hostile = python(event, '"reading"', 'os.read(fd, 99)')
    expect(await line(hostile.stdout)).toBe('reading')
    const end = closed(hostile)
    hostile.kill('SIGKILL')
    await end
    await expectUnspoilt(event, other)
  })
})

it('a child that was stopped sees it when it goes on, though another has read the line', async () => {
  const event = newEvent()
  const stopped = await startWorker(event)
  stopped.send('wait')
  expect(await once(stopped, 'message')).toEqual(['waiting', undefined])
  stopped.kill('SIGSTOP')
  await until(() => processOf(stopped.pid as number)?.state === 'T', 'the worker is stopped')
  const greedy = python(event, 'select.select([fd], [], []) and os.read(fd, 99)', 'os.read(fd, 99)')
  event.set()
  expect(await line(greedy.stdout)).toBe(String.raw`b'exit requested\n'`)
  expect(await line(greedy.stdout)).toBe("b''")
  const answer = once(stopped, 'message')
  stopped.kill('SIGCONT')
  expect(await answer).toEqual([{ way: 'wait', reason: 'requested' }, undefined])
})

it('a child can not set it, nor spoil it by trying', async () => {
  const event = newEvent()
  const other = await startWorker(event)
  const hostile = await startWorker(event)
  hostile.send('set')
  expect(await once(hostile, 'message')).toEqual([{ code: 'ERR_INVALID_STATE' }, undefined])
  await expectUnspoilt(event, other)
})

it('is set as ever when all children are gone, and again, and for a child that comes later', async () => {
  const event = newEvent()
  const child = python(event, '"here"')
  expect(await closed(child)).toEqual({ code: 0, signal: null })
  event.set()
  event.set()
  expect([event.isSet(), event.reason]).toEqual([true, 'requested'])
  const late = python(event, 'os.read(fd, 99)', 'os.read(fd, 99)')
  expect([await line(late.stdout), await line(late.stdout)]).toEqual([String.raw`b'exit requested\n'`, "b''"])
  expect(await closed(late)).toEqual({ code: 0, signal: null })
})
