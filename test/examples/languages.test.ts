/** The contract for programs in other languages: each example is a worker that leaves when it is asked, or orphaned. */
import childProcess from 'node:child_process'
import { join } from 'node:path'
import { ExitEvent, spawnProtected } from 'sigshield'
import { describe, expect, it, onTestFinished } from 'vitest'
import { programs } from '../support/build-programs.js'
import { closed, ended, line } from '../support/processes.js'

const example = (name: string) => join(import.meta.dirname, '../../examples/languages', name)
const parent = join(import.meta.dirname, '../support/examples/forsaking-parent.mjs')

describe.each<[string, string, string[]]>([
  ['C, poll', join(programs, 'c_poll'), []],
  ['Python, select', 'python3', [example('python_select.py')]],
  ['Python, asyncio', 'python3', [example('python_asyncio.py')]],
  ['bash, a look between two jobs', 'bash', [example('bash_check.sh')]],
  ['bash, a nap', 'bash', [example('bash_nap.sh')]],
])('a worker in %s', (_language, command, args) => {
  function start(event: ExitEvent) {
    const options = { stdio: ['ignore', 'pipe', 'inherit'] as ['ignore', 'pipe', 'inherit'], exitEvent: event }
    return ended(spawnProtected(command, args, options))
  }

  it('leaves when its parent asks', async () => {
    const event = new ExitEvent()
    onTestFinished(() => event.set())
    const workers = [start(event), start(event)]
    for (const worker of workers) expect(await line(worker.stdout)).toBe('ready')
    const lines = workers.map((worker) => line(worker.stdout))
    const ends = workers.map(closed)
    event.set()
    // Whatever one of them takes out of the pipe, the other one leaves too.
    expect(await Promise.all(lines)).toEqual(['leaving', 'leaving'])
    expect(await Promise.all(ends)).toEqual([
      { code: 0, signal: null },
      { code: 0, signal: null },
    ])
  })

  it('leaves at once when the event was set before it started', async () => {
    const event = new ExitEvent()
    event.set()
    const worker = start(event)
    expect([await line(worker.stdout), await line(worker.stdout)]).toEqual(['ready', 'leaving'])
    expect(await closed(worker)).toEqual({ code: 0, signal: null })
  })

  it('leaves when its parent is killed', async () => {
    const middle = childProcess.spawn(process.execPath, [parent, command, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    ended(middle)
    expect(await line(middle.stdout)).toBe('ready')
    const last = line(middle.stdout)
    const end = closed(middle)
    middle.kill('SIGKILL')
    // The output is the worker's too: 'close' comes when it has gone as well.
    expect(await last).toBe('leaving')
    expect(await end).toEqual({ code: null, signal: 'SIGKILL' })
  })
})
