/** The rules of the house that no linter knows: CONTRIBUTING.md. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const filesOf = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const native = filesOf('native').filter((file) => /\.(cc|h)$/.test(file))
const included = (file: string) =>
  [...read(file).matchAll(/^#include [<"]([^>"]+)/gm)].map((match) => match[1] as string)
/** Files of `native` outside `folder` that include what is meant for it alone. */
const strays = (folder: string, header: RegExp) =>
  native.filter((file) => !file.startsWith(folder) && included(file).some((name) => header.test(name)))

describe('headers', () => {
  it('napi.h stands in binding alone, and those of a system below platform', () => {
    expect(strays('native/binding/', /^napi\.h$/)).toEqual([])
    expect(
      strays('native/platform/', /^(linux\/|sys\/(epoll|eventfd|prctl|syscall|statfs|mman)\.h|platform\/linux\/)/),
    ).toEqual([])
    // The rule finds what it is meant for.
    expect(strays('nowhere', /^sys\/epoll\.h$/)).not.toEqual([])
  })

  it('core and platform know nothing of what stands above them', () => {
    expect(
      native.filter(
        (file) => !file.startsWith('native/binding/') && included(file).some((name) => name.startsWith('binding/')),
      ),
    ).toEqual([])
  })

  it('none has the name of a system header', () => {
    const system = readdirSync('/usr/include')
    expect(system).toContain('spawn.h')
    expect(native.map((file) => basename(file)).filter((name) => system.includes(name))).toEqual([])
  })
})

it('no file is long without a reason in its first comment', () => {
  const long = [...filesOf('lib'), ...native, ...filesOf('test').filter((file) => /support/.test(file))].filter(
    (file) => read(file).split('\n').length > 251 && !/\blong\b/.test(read(file).split('\n\n')[0] as string),
  )
  expect(long).toEqual([])
})

it('lib has its time from node/clock.ts and its disposables from node/dispose.ts: tests fake the timers, and vm contexts lack the symbol', () => {
  const globals =
    /(?<![\w.'])(?:set(?:Timeout|Interval|Immediate)|clear(?:Timeout|Interval|Immediate))\(|performance\.|process\.nextTick|Symbol\.dispose\]/
  const code = (file: string) => read(file).replace(/^\s*(?:\/\*)?\*.*$/gm, '')
  // The command is a program of its own.
  const files = filesOf('lib').filter((file) => !/^lib\/(command\/|node\/(clock|dispose)\.ts)/.test(file))
  const fromClock = (file: string) => /from '[./]*(?:node\/)?clock\.js'/.test(read(file))
  const named = /performance\.|process\.nextTick|Symbol\.dispose\]/
  expect(files.filter((file) => globals.test(code(file)) && (!fromClock(file) || named.test(code(file))))).toEqual([])
  expect(files.filter((file) => globals.test(code(file))).length).toBeGreaterThan(5)
})

it('no file is called by what it is not', () => {
  const nameless = [...filesOf('lib'), ...native, ...filesOf('test')].filter((file) =>
    /^(utils?|helpers?|types|common)\b/.test(basename(file)),
  )
  expect(nameless).toEqual([])
})

it('CONTRIBUTING names files that are there', () => {
  const named = [...read('CONTRIBUTING.md').matchAll(/\b(?:lib|native|test)\/[\w./-]+\.(?:ts|cc|h)\b/g)].map(
    ([file]) => file,
  )
  expect(named.length).toBeGreaterThan(20)
  expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([])
})
