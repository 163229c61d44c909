/** The queue of Python's recipe, as its example has it: jobs that were not done are accounted for. */
import childProcess from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { closed, ended, line } from '../support/processes.js'

const example = (name: string) => join(import.meta.dirname, '../../examples', name)

function start(jobs: number, ms: number) {
  const args = [example('queue.mjs'), String(jobs), String(ms)]
  return ended(childProcess.spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] }))
}

describe('a queue of jobs on the channel of a Node worker', () => {
  it('is done to the last job when nobody interrupts', async () => {
    const queue = start(200, 0)
    const end = closed(queue)
    expect(await text(queue.stdout)).toMatch(/\n200 done, 0 left by the worker, 0 never taken in; exit code 0\n$/)
    expect(await end).toEqual({ code: 0, signal: null })
  })

  it.each([100, 20_000])('of %d jobs loses none when it is interrupted', async (jobs) => {
    const queue = start(jobs, 20)
    const end = closed(queue)
    expect(await line(queue.stdout)).toBe('job 0 is done')
    queue.kill('SIGINT')
    const output = await text(queue.stdout)
    const summary = /^(\d+) done, (\d+) left by the worker, (\d+) never taken in; exit code 0\n$/m
    expect(output).toMatch(summary)
    const [, done, left, never] = summary.exec(output) ?? []
    // Interrupted between two jobs of some hundred: nearly all are left.
    expect(Number(done)).toBeLessThan(jobs)
    expect(Number(left)).toBeGreaterThan(0)
    expect(Number(done) + Number(left) + Number(never)).toBe(jobs)
    // Each job that it says is done was reported, once and in order.
    const reported = ['job 0 is done', ...output.split('\n').slice(0, -2)]
    expect(reported).toEqual(Array.from({ length: Number(done) }, (_, id) => `job ${id} is done`))
    expect(await end).toEqual({ code: 0, signal: null })
  })

  it.each(['queue-worker.mjs', 'worker.mjs'])('its worker, %s, works by hand', async (name) => {
    const worker = ended(
      childProcess.spawn(process.execPath, [example(name)], { stdio: ['ignore', 'pipe', 'inherit'] }),
    )
    const end = closed(worker)
    expect(await text(worker.stdout)).not.toContain('job')
    expect(await end).toEqual({ code: 0, signal: null })
  })
})
