/** Exits and signals where a policy, or an old kernel, refuses the calls for them. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { spawnProtected } from 'sigshield'
import { describe, expect, it } from 'vitest'
import { processOf } from '../support/process-table.mjs'
import { echo, ended, isAlive, line, temporaryFolder, until } from '../support/processes.js'
import { compiledLibrary, compiledProgram } from './compiled.js'

const refused = compiledProgram('refused')
const refusing = compiledLibrary('refusing')
const support = join(import.meta.dirname, '../support/native')

describe('exits come once each and every signal arrives', () => {
  it.each([
    'nothing',
    'waitid=EPERM',
    'waitid=ENOSYS',
    'waitid=EINVAL',
    'wait4=EPERM',
    'pidfd_send_signal=EPERM',
    'pidfd_send_signal=ENOSYS',
    'group_signal=EINVAL',
    'waitid=EPERM,pidfd_send_signal=EPERM',
  ])('refused: %s', async (calls) => {
    const { stdout } = await promisify(execFile)(refused, [
      calls,
      process.execPath,
      join(support, 'refused-parent.mjs'),
    ])
    expect(JSON.parse(stdout)).toEqual({
      codes: [0, 1, 2, 3, 4],
      killed: [true, 'SIGTERM'],
      stopped: { code: null, signal: 'SIGTERM', forced: false },
      group: { code: null, signal: 'SIGTERM', forced: false },
    })
  })
})

it('a child that nobody may wait for is kept, at no cost, until somebody may', async () => {
  const file = join(temporaryFolder(), 'refuse')
  writeFileSync(file, '')
  const parent = ended(
    spawnProtected(process.execPath, [join(support, 'unwaited-parent.mjs')], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, LD_PRELOAD: refusing, REFUSE_WAITS: file },
    }),
  )
  const end = once(parent, 'close')
  const pid = Number(await line(parent.stdout))
  // The living one is not taken for dead.
  expect(await echo(parent, 'living')).toBe('living')
  expect(isAlive(pid)).toBe(true)
  process.kill(pid, 'SIGKILL')
  await until(() => processOf(pid)?.state === 'Z', 'it has exited')
  const { active } = JSON.parse(await echo(parent, 'measure'))
  expect(active).toBeLessThan(0.5)
  rmSync(file)
  expect(await line(parent.stdout)).toBe('exit null SIGKILL')
  await end
})
