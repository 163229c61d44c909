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
