/** Starts under Node's permission model, as with child_process. */
import childProcess, { type SpawnOptions } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { alike, type Side } from '../support/node/sides.js'
import { closed, ended } from '../support/processes.js'

const permittedParent = join(import.meta.dirname, '../support/node/permitted-parent.mjs')

const major = Number(process.versions.node.split('.')[0])

it.runIf(major < 22)('the permission model of Node 20 lets no addon in, so the first start fails', async () => {
  const code = `import { spawnProtected } from 'sigshield'; spawnProtected('true')`
  const flags = ['--experimental-permission', '--allow-fs-read=*', '--allow-child-process']
  const args = [...flags, '--input-type=module', '-e', code]
  const parent = ended(childProcess.spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] }))
  const end = closed(parent)
  const told = await text(parent.stderr)
  expect(told).toContain("code: 'ERR_DLOPEN_DISABLED'")
  expect(told).toContain('under the permission model with --allow-addons')
  expect(told).not.toContain('Build it')
  expect(await end).toEqual({ code: 1, signal: null })
})

describe.runIf(major >= 22)('the permission model', () => {
  const flag = '--permission'
  const reading = ['--no-warnings', '--allow-fs-read=*', '--allow-addons']

  interface Report {
    readonly outcomes: Record<string, object>
    readonly children: string[]
    readonly options?: string
  }

  async function run({ name }: Side, flags: string[], env?: NodeJS.ProcessEnv): Promise<Report> {
    const args = [...reading, ...flags, permittedParent, name]
    const options: SpawnOptions = { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } }
    const parent = ended(childProcess.spawn(process.execPath, args, options))
    const end = closed(parent)
    const output = await text(parent.stdout as NodeJS.ReadableStream)
    await end
    return JSON.parse(output)
  }

  it('lets nothing start without --allow-child-process', async () => {
    const { outcomes, children } = await alike((side) => run(side, [flag]))
    expect(children).toEqual([])
    const { 'with a bad option': bad, ...others } = outcomes
    expect(bad).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
    for (const outcome of Object.values(others)) {
      expect(outcome).toMatchObject({ code: 'ERR_ACCESS_DENIED', permission: 'ChildProcess' })
    }
  })

  it.each([
    ['no NODE_OPTIONS', {}],
    ['NODE_OPTIONS of the parent', { NODE_OPTIONS: '--title=parent' }],
  ])('hands its flags on with --allow-child-process and %s', async (_what, env) => {
    const { outcomes, children, options } = await alike((side) => run(side, [flag, '--allow-child-process'], env))
    expect(children).toEqual([])
    // The parent's own environment stays as it was.
    expect(options).toBe((env as NodeJS.ProcessEnv).NODE_OPTIONS)
    expect(JSON.stringify(outcomes['in a shell'])).toContain('--permission --allow-child-process')
    expect(outcomes['with more pipes']).toMatchObject({ output: 'from the first to the last' })
  })

  it.skipIf(major < 24)('starts all the same and hands its flags on with --permission-audit', async () => {
    const { outcomes } = await alike((side) => run(side, ['--permission-audit']))
    expect(outcomes['a node program']).toMatchObject({ exit: 0 })
  })

  it('lets no synchronous call start anything either', async () => {
    const observe = async (from: string, names: string) => {
      const code = `
        import { ${names} } from '${from}'
        import { subscribe } from 'node:diagnostics_channel'
        subscribe('node:permission-model:child', ({ permission, resource }) => console.log(permission, resource))
        for (const run of [${names}]) {
          try {
            console.log(run('true'))
          } catch ({ code, permission, resource, message }) {
            console.log(JSON.stringify({ code, permission, resource, message }))
          }
        }`
      const args = [...reading, flag, '--input-type=module', '-e', code]
      const parent = ended(childProcess.spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] }))
      const end = closed(parent)
      const output = await text(parent.stdout as NodeJS.ReadableStream)
      return [output, await end]
    }
    const theirs = await observe('node:child_process', 'spawnSync, execFileSync')
    expect(theirs[0]).toContain('ERR_ACCESS_DENIED')
    expect(await observe(import.meta.resolve('sigshield'), 'spawnSyncProtected, execFileSyncProtected')).toEqual(theirs)
  })
})
