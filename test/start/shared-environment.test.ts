/** The environment of a process whose worker threads write it too (SHARE_ENV). */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { spawnProtected } from 'sigshield'
import { expect, it } from 'vitest'
import { native } from '../../dist/native/load.js'
import { ended, line } from '../support/processes.js'

const parent = join(import.meta.dirname, '../support/start/sharing-parent.mjs')

it('is read whole while a thread writes it, and never crashes the process', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [parent, '60'])
  expect(JSON.parse(stdout)).toEqual([0])
})

it('is read natively, under the lock that Node writes it under', () => {
  expect(native().canReadEnvironment).toBe(true)
})

it.each([true, false])(
  'one that a program has put in its place is what children have (frozen: %s)',
  async (freezes) => {
    const code = `process.env = { PATH: process.env.PATH, ONLY: '1' }
    const { spawnProtected } = await import('sigshield')
    if (${freezes}) Object.freeze(process.env)
    spawnProtected('env', [], { stdio: 'inherit' })`
    const args = ['--input-type=module', '-e', code]
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, SECRET: '1' } })
    expect(stdout).toContain('ONLY=1\n')
    expect(stdout).not.toContain('SECRET')
  },
)

it('of two entries of one name the child has the first, as process.env; what has no name it has not', async () => {
  const code = `const { spawnProtected } = await import('sigshield')
    console.log(process.env.TWICE)
    spawnProtected('env', [], { stdio: 'inherit' })`
  // No shell and no runtime gives such an environment.
  const start = `import ctypes, sys
strings = lambda texts: (ctypes.c_char_p * (len(texts) + 1))(*[text.encode() for text in texts], None)
environment = ['TWICE=first', 'nameless', '=empty', 'TWICE=second', 'PATH=' + sys.argv[1]]
ctypes.CDLL(None).execve(sys.argv[2].encode(), strings(sys.argv[2:]), strings(environment))`
  const args = ['-c', start, process.env.PATH as string, process.execPath, '--input-type=module', '-e', code]
  const { stdout } = await promisify(execFile)('python3', args)
  expect(stdout.trim().split('\n').sort()).toEqual(['first', `PATH=${process.env.PATH}`, 'TWICE=first'].sort())
})

it('names no more generations than are in one tree, its own last', async () => {
  const env = {
    ...process.env,
    SIGSHIELD_ABOVE: Array.from({ length: 1000 }, (_, i) => i + 1).join(),
    SIGSHIELD_EXIT_INODE: '7777',
  }
  const code = `(await import('sigshield')).spawnProtected('sh', ['-c', 'echo $SIGSHIELD_ABOVE'], { stdio: 'inherit' })`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { env })
  const named = stdout.trim().split(',')
  expect([named.length, named[0], named.at(-1)]).toEqual([64, '938', '7777'])
})

it.each([true, false])('reaches the child as it is now (Node has the lock: %s)', async (has) => {
  const addon = native() as { canReadEnvironment: boolean }
  const before = addon.canReadEnvironment
  process.env.SIGSHIELD_NOW = 'now'
  addon.canReadEnvironment = has
  try {
    const child = ended(spawnProtected('sh', ['-c', 'echo $SIGSHIELD_NOW'], { stdio: ['ignore', 'pipe', 'inherit'] }))
    const end = once(child, 'close')
    expect(await line(child.stdout)).toBe('now')
    await end
  } finally {
    addon.canReadEnvironment = before
    delete process.env.SIGSHIELD_NOW
  }
})
