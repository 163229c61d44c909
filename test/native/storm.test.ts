/** Many children at once, and a process to which other things happen. TEST_SOAK=10 does ten times as much, and prints. */

/** Many children at once, and a process to which other things happen. TEST_SOAK=10 does ten times as much, and prints. */
import childProcess, { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { ended, temporaryFolder, until } from '../support/processes.js'
import { compiledLibrary } from './compiled.js'

const parent = join(import.meta.dirname, '../support/native/storming-parent.mjs')
const soak = Number(process.env.TEST_SOAK ?? 1)
const times = (count: number) => count * soak
const limit = 60_000 * soak

async function storm(what: string, count: number, extra = ''): Promise<unknown> {
  const started = performance.now()
  const { stdout } = await promisify(execFile)(process.execPath, [parent, what, String(count), extra])
  if (soak > 1)
    console.log(`${what} × ${count}: ${((performance.now() - started) / 1000).toFixed(1)} s, ${stdout.trim()}`)
  return JSON.parse(stdout)
}

it(
  'every exit of children that all end at once comes',
  async () => {
    const count = times(500)
    expect(await storm('exits', count)).toEqual({ ',SIGKILL': count })
  },
  limit,
)

it(
  'eight threads and the main one start at the same time',
  async () => {
    const count = times(40)
    expect(await storm('threads', count)).toEqual({ '0,': 9 * count })
  },
  limit,
)

it(
  "starts and exits need no thread of libuv's pool",
  async () => {
    const fifo = join(temporaryFolder(), 'fifo')
    execFileSync('mkfifo', [fifo])
    const count = times(50)
    expect(await storm('threadpool', count, fifo)).toEqual({ '0,': count })
  },
  limit,
)

it(
  'exits come beside a listener for SIGCHLD',
  async () => {
    const count = times(50)
    expect(await storm('sigchld', count)).toEqual({ '0,': count, heard: true })
  },
  limit,
)

it(
  'exits come where another library ignores SIGCHLD, though nobody knows how',
  async () => {
    const count = times(50)
    expect(await storm('sigchldIgnored', count, compiledLibrary('ignoring'))).toEqual({ ',': count })
  },
  limit,
)

it(
  'starts of all kinds leave nothing behind',
  async () => {
    const count = times(300)
    const each = count / 6
    expect(await storm('mixed', count)).toEqual({ '0,': 3 * each, '3,': each, ',SIGTERM': each, ENOENT: each })
  },
  limit,
)

/** Of a parent, or of its children: whoever has it among its arguments, in its memory as another program or as its copy. */
function marked(mark: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes(mark)
    } catch {
      return false
    }
  })
}

it(
  'parents that are killed at random moments leave nobody, started or half started',
  async () => {
    for (let i = 0; i < times(10); i += 1) {
      const mark = `0.${process.pid}${i}`
      const killed = ended(
        childProcess.spawn(process.execPath, [parent, 'forEver', '0', mark], { stdio: ['ignore', 'pipe', 'inherit'] }),
      )
      const end = once(killed, 'close')
      let dots = Math.floor(Math.random() * 40) + 1
      for await (const chunk of killed.stdout) {
        dots -= (chunk as Buffer).length
        if (dots <= 0) break
      }
      killed.kill('SIGKILL')
      await end
      await until(() => marked(mark).length === 0, `nobody is left of ${marked(mark)}`)
    }
  },
  limit,
)

it(
  'a parent that exits amid starts leaves nobody',
  async () => {
    for (let i = 0; i < times(10); i += 1) {
      const mark = `0.${process.pid}${i}`
      const exiting = ended(
        childProcess.spawn(process.execPath, [parent, 'exitAmid', String(1 + (i % 10)), mark], { stdio: 'inherit' }),
      )
      expect(await once(exiting, 'close')).toEqual([7, null])
      await until(() => marked(mark).length === 0, `nobody is left of ${marked(mark)}`)
    }
  },
  limit,
)
