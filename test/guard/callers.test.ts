/** The guard by the other ways to start a program: other code, calls that block, and this process as the program. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { execFileSyncProtected, protect, protectionOf, spawnSyncProtected } from 'sigshield'
import { describe, expect, it, onTestFinished } from 'vitest'
import { programs } from '../support/build-programs.js'
import { sigshield } from '../support/command.js'
import { message, NodeProgram } from '../support/node-program.js'
import { ended, nothing, SIGINT, temporaryFolder } from '../support/processes.js'
import { leavesNothing, thrown } from '../support/refusal.js'
import { signalState } from '../support/signal-state.js'

const guarded = join(programs, 'guarded')
const dist = join(import.meta.dirname, '../../dist')
const worker = join(import.meta.dirname, '../support/guard/worker.mjs')
const library = join(import.meta.dirname, '../../build/Release/sigshield-guard.so')

function guardForAll(): void {
  const protection = protect({ enforce: 'guard' })
  onTestFinished(() => protection[Symbol.dispose]())
}

const node = () => ended(spawn(process.execPath, [worker], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }))

describe('a child that other code starts', () => {
  it('is under the guard, and keeps what it ignores', async () => {
    guardForAll()
    const child = node()
    await message(child)
    expect(protectionOf(child)?.enforced).toBe('guard')
    expect(signalState(child.pid as number).ignored).toContain(SIGINT)
  })

  it('is not without (the control)', async () => {
    const child = node()
    await message(child)
    expect(signalState(child.pid as number).ignored).not.toContain(SIGINT)
  })

  it('is not started where the guard can’t cover it', async () => {
    guardForAll()
    const refused = new Promise((resolve, reject) => {
      try {
        spawn(nothing).on('error', resolve).on('exit', reject)
      } catch (error) {
        resolve(error)
      }
    })
    expect(await refused).toMatchObject({ code: 'ENOTSUP', step: 'guard', message: expect.stringMatching(/static/) })
  })
})

describe('a call that blocks', () => {
  const enforce = 'guard'

  it('has it, the first time for a program and later; without it the handler runs (the control)', () =>
    leavesNothing(() => {
      const program = join(temporaryFolder(), 'program')
      copyFileSync(guarded, program)
      const handled = (options: object) => {
        const { stdout, error } = spawnSyncProtected(program, ['sigaction'], { ignore: ['SIGINT'], ...options })
        return { handled: JSON.parse(String(stdout)).handled, error }
      }
      expect(handled({ enforce: false })).toMatchObject({ handled: 1 })
      for (let i = 0; i < 2; i += 1) expect(handled({ enforce })).toEqual({ handled: 0, error: undefined })
      expect(
        JSON.parse(String(execFileSyncProtected(program, ['sigaction'], { ignore: ['SIGINT'], enforce }))),
      ).toMatchObject({ handled: 0 })
    }))

  it('runs nothing that it can not be loaded into', () =>
    leavesNothing(() => {
      const refused = { code: 'ENOTSUP', step: 'guard', message: expect.stringMatching(/it is static/) }
      const options = { ignore: ['SIGINT'] as const, enforce } as const
      expect(spawnSyncProtected(nothing, options)).toMatchObject({ pid: 0, status: null, error: refused })
      expect(thrown(() => execFileSyncProtected(nothing, options))).toMatchObject({ code: 'ENOTSUP' })
      expect(spawnSyncProtected(nothing, { ...options, ignore: [] }).error).toBeUndefined()
    }))

  it('in a system without a filter has it by default, and where it must', async () => {
    const program = new NodeProgram(`
      import { spawnSyncProtected } from '${dist}/index.js'
      import { native } from '${dist}/native/load.js'
      native().hasSignalFilter = false
      for (const enforce of [undefined, false, true]) {
        const { stdout, error } = spawnSyncProtected('${guarded}', ['sigaction'], { ignore: ['SIGINT'], enforce })
        console.log(error?.code ?? JSON.parse(stdout).handled)
      }
      console.log(spawnSyncProtected('${nothing}', { ignore: ['SIGINT'] }).status)`)
    const { rest } = await program.end()
    expect(rest).toEqual(['0', '1', '0', '0'])
  })
})

it.each([
  ['a program whose file foretells it', 'guarded', '0'],
  ['none that its file keeps it from', 'nothing', undefined],
])(
  'in a system without a filter a process that becomes the program gives it to %s',
  async (_what, program, handled) => {
    const file = program === 'guarded' ? guarded : nothing
    const code = `
    import { native } from '${dist}/native/load.js'
    import { protectionFrom } from '${dist}/start/protection.js'
    import { replaceProgram } from '${dist}/start/replacement.js'
    native().hasSignalFilter = false
    const protection = protectionFrom({ ignore: ['SIGINT'] }, 'auto')
    console.log(replaceProgram(protection, '${file}', ['sigaction'], [0, 1, 2]))`
    const { rest, ...end } = await new NodeProgram(code).end()
    expect({ handled: rest[0] && String(JSON.parse(rest[0]).handled), end }).toEqual({
      handled,
      end: { code: 0, signal: null },
    })
  },
)

describe('in a process under the guard', () => {
  const env = { ...process.env, LD_PRELOAD: library, SIGSHIELD_GUARD: '2' }
  const underGuard = { env, stdio: ['ignore', 'pipe', 'inherit'] as ['ignore', 'pipe', 'inherit'] }

  async function said(program: string, args: string[]): Promise<unknown> {
    const child = ended(spawn(program, args, underGuard))
    let text = ''
    for await (const chunk of child.stdout) text += chunk
    if (child.exitCode === null) await once(child, 'exit')
    return JSON.parse(text)
  }

  const free = { before: 'default', handled: 1 }

  it('a call that blocks starts without it, with its own signals', async () => {
    const code = `import { spawnSyncProtected } from '${dist}/index.js'
      process.stdout.write(spawnSyncProtected('${guarded}', ['sigaction'], { ignore: [] }).stdout)`
    expect(await said(process.execPath, ['--input-type=module', '-e', code])).toMatchObject(free)
    const control = code.replace(`'${dist}/index.js'`, `'node:child_process'`).replaceAll('Protected', '')
    expect(await said(process.execPath, ['--input-type=module', '-e', control])).toMatchObject({ handled: 0 })
  })

  it('so does sigshield exec', async () => {
    const command = ['exec', '--ignore', 'USR1', '--no-enforce', '--', guarded, 'sigaction']
    expect(await said(process.execPath, [sigshield, ...command])).toMatchObject({ handled: 1 })
    expect(await said(guarded, ['sigaction']), 'the control').toMatchObject({ handled: 0 })
  })
})
