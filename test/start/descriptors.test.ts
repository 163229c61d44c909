import childProcess from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ExitEvent, spawnProtected } from 'sigshield'
import { describe, expect, it } from 'vitest'
import { closed, ended, probe, temporaryFolder } from '../support/processes.js'

interface Report {
  readonly fds: { fd: number; type: number; inode: number; access: number; nonblocking: number }[]
}

async function descriptorsWith(options: object): Promise<Report['fds']> {
  const file = join(temporaryFolder(), 'report')
  expect(await closed(ended(spawnProtected(probe, [file], options)))).toEqual({ code: 0, signal: null })
  return JSON.parse(readFileSync(file, 'utf8')).fds
}

const numbers = (fds: Report['fds']) => fds.map(({ fd }) => fd)

it.each([0, 1, 2])(
  'a number that is free, and could become one of ours, is refused (the %ith that is free)',
  (further) => {
    // In a process of its own: what the first start opens is open from then on.
    const code = `import { openSync, closeSync } from 'node:fs'
    import { ExitEvent, spawnProtected, spawnSyncProtected } from 'sigshield'
    const free = openSync('/dev/null') + ${further}
    closeSync(free - ${further})
    const refusals = []
    for (const start of [spawnSyncProtected, spawnProtected]) {
      for (const options of [{}, { exitEvent: new ExitEvent() }, { enforce: 'guard' }]) {
        try {
          const { error } = start('true', [], { stdio: ['ignore', 'ignore', 'ignore', free], ...options })
          refusals.push([error?.code, error?.step])
        } catch ({ code, step }) {
          refusals.push([code, step])
        }
      }
    }
    console.log(JSON.stringify(refusals))`
    const node = childProcess.execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' })
    expect(JSON.parse(node)).toEqual(Array(6).fill(['EBADF', 'fcntl']))
  },
)

describe('a child has exactly the descriptors it was given', () => {
  it.each([
    ['the default', {}, [0, 1, 2]],
    ['nothing but /dev/null', { stdio: 'ignore' }, [0, 1, 2]],
    ['a hole above the three', { stdio: ['ignore', 'ignore', 'ignore', 'ignore', 'pipe'] }, [0, 1, 2, 4]],
    [
      'more than any start before it',
      { stdio: Array.from({ length: 200 }, (_, fd) => (fd % 2 === 0 ? 'pipe' : 'ignore')) },
      [0, 1, ...Array.from({ length: 99 }, (_, i) => 2 + 2 * i)],
    ],
    ['an exit event', { exitEvent: new ExitEvent() }, [0, 1, 2, 8]],
    [
      'an exit event after more stdio',
      { stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'], exitEvent: new ExitEvent() },
      [0, 1, 2, 3, 4, 8],
    ],
  ])('%s', async (_what, options, expected) => {
    expect(numbers(await descriptorsWith(options))).toEqual(expected)
  })

  it('whatever else its parent has open without close-on-exec, which plain spawn hands on (the control)', async () => {
    const folder = temporaryFolder()
    const script = join(import.meta.dirname, '../support/start/leaky-parent.mjs')
    // Python leaves one open in the parent, as a library without O_CLOEXEC does. Node marks those it starts with itself, up to
    // the first gap (uv_disable_stdio_inheritance), so this one is beyond a gap.
    const python = `import os,sys
os.dup2(os.open("/dev/null", os.O_RDONLY), 99)
os.set_inheritable(99, True)
os.execv(sys.argv[1], sys.argv[1:])`
    const run = async (api: string) => {
      const report = join(folder, api)
      const parent = ended(
        childProcess.spawn('python3', ['-c', python, process.execPath, script, api, probe, report], {
          stdio: 'inherit',
        }),
      )
      expect(await closed(parent)).toEqual({ code: 0, signal: null })
      return numbers(JSON.parse(readFileSync(report, 'utf8')).fds)
    }
    expect(await run('child_process')).toContain(99)
    expect(await run('sigshield')).toEqual([0, 1, 2])
  })
})
