/** What a start can and can't do under the filters that its own process has inherited. */
import { execFile } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Enforced, type ProtectionOptions, spawnProtected } from 'sigshield'
import { describe, expect, it } from 'vitest'
import { programs } from '../../support/build-programs.js'
import { closed, ended, probe, SIGINT, SIGTERM, SIGUSR2, temporaryFolder } from '../../support/processes.js'

const parent = join(import.meta.dirname, '../../support/native/kernel/protected-parent.mjs')
const generations = join(import.meta.dirname, '../../support/native/kernel/generations.mjs')
const restricted = join(programs, 'restricted')

/** Starts the probe from a process that ignores these itself, enforced. */
async function underFilter(ignore: NodeJS.Signals[], options: ProtectionOptions) {
  const args = [parent, probe, join(temporaryFolder(), 'report'), JSON.stringify(options)]
  const child = ended(spawnProtected(process.execPath, args, { ignore, enforce: ignore.length > 0 }))
  let output = ''
  for await (const chunk of child.stdout ?? []) output += chunk
  return JSON.parse(output)
}

const refused = 'ERR_INVALID_ARG_VALUE'
const ran = { code: 0, signal: null }

describe('in a process that ignores SIGINT, enforced', () => {
  it('a child that is to ignore nothing starts with the default, and none can handle SIGINT: stop() refuses it', async () => {
    expect(await underFilter(['SIGINT'], { ignore: [] })).toEqual({
      enforced: false,
      ignored: [],
      stop: refused,
      ...ran,
    })
  })

  it('without the filter stop() sends it (the control)', async () => {
    expect(await underFilter([], { ignore: [] })).toEqual({ enforced: false, code: null, signal: null })
  })

  it.each([true, false])(
    'where a SIGTERM is all that stop() has, and nothing can handle it, it is forced (%s)',
    async (enforce) => {
      const code = `const child = (await import('sigshield')).spawnProtected('sleep', ['1000'], { ignore: [] })
      console.log(JSON.stringify(await child.stop()))`
      const options = { ignore: ['SIGTERM'] as const, enforce }
      const child = ended(spawnProtected(process.execPath, ['--input-type=module', '-e', code], options))
      let output = ''
      for await (const chunk of child.stdout) output += chunk
      expect(JSON.parse(output)).toEqual({ code: null, signal: 'SIGTERM', forced: enforce })
    },
  )

  it.each([
    [{ ignore: ['SIGINT'], enforce: false }, 'filter', [SIGINT]],
    [{ ignore: ['SIGTERM'], enforce: false }, false, [SIGTERM]],
    [{ ignore: ['SIGTERM'] }, 'filter', [SIGTERM]],
    [{ ignore: ['SIGINT', 'SIGUSR2'] }, 'filter', [SIGINT, SIGUSR2]],
  ] as [ProtectionOptions, Enforced, number[]][])('%j: enforced is %s', async (options, enforced, ignored) => {
    expect(await underFilter(['SIGINT'], options)).toEqual({ enforced, ignored, stop: refused, ...ran })
  })
})

describe('a filter of somebody else', () => {
  async function underForeign(options: ProtectionOptions) {
    const args = ['sigint_swallowed', process.execPath, parent, probe, join(temporaryFolder(), 'report')]
    return JSON.parse((await promisify(execFile)(restricted, [...args, JSON.stringify(options)])).stdout)
  }

  it.each([
    [['SIGINT'], 'filter', [SIGINT]],
    [[], false, [SIGINT]],
    [['SIGTERM'], 'filter', [SIGINT, SIGTERM]],
  ] as [NodeJS.Signals[], Enforced, number[]][])(
    '%j: what stays ignored is known',
    async (ignore, enforced, ignored) => {
      expect(await underForeign({ ignore })).toEqual({ enforced, ignored, stop: refused, ...ran })
    },
  )
})

describe('a program that starts itself again', () => {
  async function filters(...sets: NodeJS.Signals[][]): Promise<number[]> {
    const child = ended(spawnProtected(process.execPath, [generations, JSON.stringify(sets)], { ignore: [] }))
    let output = ''
    for await (const chunk of child.stdout) output += chunk
    return JSON.parse(output)
  }

  it('gains no filter', async () => {
    const same: NodeJS.Signals[][] = Array.from({ length: 6 }, () => ['SIGINT', 'SIGTERM'])
    const [first = 0, ...later] = await filters(...same)
    expect(later).toEqual(same.map(() => first + 1))
  })

  it('gains one where it ignores more (the control)', async () => {
    const [first = 0, ...later] = await filters(['SIGINT'], ['SIGINT', 'SIGTERM'], ['SIGTERM'])
    expect(later).toEqual([first + 1, first + 2, first + 2])
  })
})

describe('a child that ignores what it was not to, by a filter of somebody else', () => {
  const code = `import { spawnProtected } from 'sigshield'
    const aborted = new AbortController()
    const options = { stdio: 'ignore', ignore: [], killSignal: 'SIGINT' }
    const children = [
      spawnProtected('sleep', ['1000'], { ...options, timeout: 50 }),
      spawnProtected('sleep', ['1000'], { ...options, signal: aborted.signal }),
      spawnProtected('sleep', ['1000'], { ...options, killSignal: 'SIGTERM', timeout: 50 }),
    ]
    children[1].on('error', () => {})
    const ends = children.map((child) => new Promise((resolve) => child.once('exit', (...end) => resolve(end))))
    aborted.abort()
    console.log(JSON.stringify((await Promise.all(ends)).map(([, signal]) => signal)))`
  const node = [process.execPath, '--input-type=module', '-e', code]

  it.each([
    ['sigint_swallowed', ['SIGKILL', 'SIGKILL', 'SIGTERM']],
    ['none', ['SIGINT', 'SIGINT', 'SIGTERM']],
  ])('%s: its time-out and its AbortSignal end it all the same', async (features, signals) => {
    const { stdout } = await promisify(execFile)(restricted, [features, ...node])
    expect(JSON.parse(stdout)).toEqual(signals)
  })
})

describe.skipIf(process.arch !== 'x64')('system calls of another ABI', () => {
  const names = ['rt_sigaction', 'sigaction', 'signal', 'x32'] as const
  async function tries(enforce: boolean) {
    const options = { ignore: ['SIGINT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'], enforce } as const
    const child = ended(spawnProtected(join(programs, 'other-abi'), options))
    let output = ''
    for await (const chunk of child.stdout) output += chunk
    expect(await closed(child)).toEqual({ code: 0, signal: null })
    return JSON.parse(output) as Record<(typeof names)[number], { result: number; handled: boolean }>
  }

  it.each(names)('%s can’t handle an enforced signal', async (name) => {
    const without = await tries(false)
    const has = without[name].result !== -constants.errno.ENOSYS
    if (!has) console.log(`not in this kernel, so not tested: ${name}`)
    // The control: without the filter it does.
    expect(without[name].handled).toBe(has)
    // x32 is known to the filter by its number, whether this kernel has it or not.
    const answered = has || name === 'x32'
    expect((await tries(true))[name]).toEqual({ result: answered ? 0 : -constants.errno.ENOSYS, handled: false })
  })
})
