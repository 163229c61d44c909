/** A system whose kernel has no filter, as macOS: there the guard is what `enforce` means. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { NodeProgram } from '../support/node-program.js'
import { nothing, signalSet } from '../support/processes.js'

const dist = join(import.meta.dirname, '../../dist')

/** What a start says in such a system, with the addon told so. */
async function said(...starts: string[]): Promise<unknown[]> {
  const program = new NodeProgram(`
    import { spawnProtected } from '${dist}/index.js'
    import { native } from '${dist}/native/load.js'
    native().hasSignalFilter = false
    const NOTHING = '${nothing}'
    const PROGRAM = '${signalSet}'
    for (const start of [${starts.map((start) => `() => ${start}`).join(', ')}]) {
      try {
        const child = start()
        await new Promise((resolve) => child.on('exit', resolve))
        console.log(JSON.stringify({ enforced: child.enforced, code: child.exitCode }))
      } catch ({ code, step }) {
        console.log(JSON.stringify({ code, step }))
      }
    }`)
  const { rest } = await program.end()
  return rest.map((line) => JSON.parse(line))
}

it('is asked for by true and auto, and nothing is by false', async () => {
  expect(
    await said(
      `spawnProtected(PROGRAM)`,
      `spawnProtected(PROGRAM, { enforce: true })`,
      `spawnProtected(PROGRAM, { enforce: false })`,
      `spawnProtected(PROGRAM, { ignore: [] })`,
    ),
  ).toEqual([
    { enforced: 'guard', code: 0 },
    { enforced: 'guard', code: 0 },
    { enforced: false, code: 0 },
    { enforced: false, code: 0 },
  ])
})

it('there is no filter then', async () => {
  expect(await said(`spawnProtected('grep', ['-q', '^Seccomp:.0$', '/proc/self/status'])`)).toEqual([
    { enforced: 'guard', code: 0 },
  ])
})

it('where the guard can’t be, auto starts all the same, true refuses', async () => {
  expect(await said('spawnProtected(NOTHING)', 'spawnProtected(NOTHING, { enforce: true })')).toEqual([
    { enforced: false, code: 0 },
    { code: 'ENOTSUP', step: 'guard' },
  ])
})
