/** Hundreds of children of all kinds, and a parent to which things happen. */
import childProcess from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { times } from '../support/limits.js'
import { childrenOf, processOf } from '../support/process-table.mjs'
import { closed, ended, isAlive, line, until } from '../support/processes.js'

const script = join(import.meta.dirname, '../support/supervisor/chaotic-parent.mjs')

/** With a limit of its own to the descriptors it can have. */
async function start(descriptors: number) {
  const command = ['-c', `ulimit -n ${descriptors}; exec "$@"`, 'bash', process.execPath, script]
  const parent = ended(childProcess.spawn('bash', command, { stdio: ['pipe', 'pipe', 'inherit'] }))
  expect(await line(parent.stdout)).toBe('up')
  return parent
}

async function finish(parent: Awaited<ReturnType<typeof start>>) {
  const end = closed(parent)
  parent.stdin.write('enough\n')
  const report = JSON.parse(await line(parent.stdout))
  expect(await end).toEqual({ code: 0, signal: null })
  return report
}

const pids = (parent: { readonly pid?: number | undefined }) => childrenOf(parent.pid as number).map(({ pid }) => pid)

describe('a parent with hundreds of children of all kinds', () => {
  it('ends all, and holds nothing of them', async () => {
    const parent = await start(4096)
    await until(() => pids(parent).length > 150, 'it has many children')
    const { before, after, counts, refusals } = await finish(parent)
    expect(after).toEqual(before)
    expect(counts.ended).toBe(counts.started)
    expect(refusals).toEqual(['ENOENT'])
  })

  it('that runs out of descriptors is told so, and loses nothing', async () => {
    const parent = await start(60)
    // Long enough at its limit that it has met it in every step of a start.
    for (let i = 0; i < times(20); i += 1) await until(() => pids(parent).length > 5, 'it has children')
    const { before, after, counts, refusals } = await finish(parent)
    expect(after).toEqual(before)
    expect(counts.ended).toBe(counts.started)
    expect(refusals).toContain('EMFILE')
  })

  it('that is stopped at random moments goes on, and loses nothing', async () => {
    const parent = await start(4096)
    for (let i = 0; i < times(20); i += 1) {
      const before = pids(parent).join()
      await until(() => pids(parent).join() !== before, 'children come and go')
      parent.kill('SIGSTOP')
      await until(() => processOf(parent.pid as number)?.state === 'T', 'it is stopped')
      parent.kill('SIGCONT')
    }
    const { before, after, counts } = await finish(parent)
    expect(after).toEqual(before)
    expect(counts.ended).toBe(counts.started)
  })

  it('that is killed at a random moment leaves nobody', async () => {
    for (let i = 0; i < times(5); i += 1) {
      const parent = await start(4096)
      await until(() => pids(parent).length > 30 * (i % 5), 'it has children')
      parent.kill('SIGSTOP')
      await until(() => processOf(parent.pid as number)?.state === 'T', 'it is stopped')
      const family = pids(parent)
      const end = closed(parent)
      parent.kill('SIGKILL')
      await end
      await until(() => !family.some(isAlive), 'its children are gone')
    }
  })
})
