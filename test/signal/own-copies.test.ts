/** Two copies of the library in one process, as when two packages bring their own: neither knows the other. */
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../support/processes.js'
import { runSignals, well } from '../support/signal/signal-program.js'

const root = join(import.meta.dirname, '../..')
let copy = ''

beforeEach(() => {
  copy = temporaryFolder()
  for (const name of ['dist', 'package.json', 'build/Release/sigshield.node']) {
    mkdirSync(join(copy, name, '..'), { recursive: true })
    cpSync(join(root, name), join(copy, name), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
})

const run = (code: string) =>
  runSignals(`
    import * as other from '${join(copy, 'dist/signals.js')}'
    const { disposition } = signals
    const hears = async () => {
      const heard = once(process, 'SIGHUP')
      process.kill(self, 'SIGHUP')
      await heard
    }
    const section = (copy) => {
      let end
      const over = copy.hold(['SIGUSR2', 40], () => new Promise((resolve) => { end = resolve }))
      return async () => { end(); await over }
    }
    ${code}`)

describe.each([
  ['nested', 'second(); await first()'],
  ['overlapping', 'first(); await second()'],
])('sections of both, %s', (_name, ends) => {
  it('a listener hears what came, once, and what comes after', async () => {
    expect(
      await run(`
        process.on('SIGUSR2', () => print('heard'))
        for (const [a, b] of [[signals, other], [other, signals], [signals, other]]) {
          const first = section(a)
          const second = section(b)
          process.kill(self, 'SIGUSR2')
          await hears()
          print('inside')
          await ${ends}
          await hears()
          process.kill(self, 'SIGUSR2')
          await hears()
        }
        print(disposition('SIGUSR2'))`),
    ).toEqual(well(...Array(3).fill(['inside', 'heard', 'heard']).flat(), 'handled'))
  })

  it('the default action is done', async () => {
    expect(
      await run(`
        const first = section(signals)
        const second = section(other)
        await ${ends}
        process.kill(self, 'SIGUSR2')
        await hears()`),
    ).toEqual({ said: [], code: null, signal: 'SIGUSR2' })
  })

  it('listeners may come and go: it is heard, by one of them or by both', async () => {
    const { said, signal } = await run(`
        const listener = () => print('heard')
        const first = section(signals)
        const second = section(other)
        process.on('SIGUSR2', listener)
        process.kill(self, 'SIGUSR2')
        await hears()
        print('inside')
        await ${ends}
        await hears()
        process.off('SIGUSR2', listener)
        process.kill(self, 'SIGUSR2')
        await hears()`)
    expect({ heard: [...new Set(said)], signal }).toEqual({ heard: ['inside', 'heard'], signal: 'SIGUSR2' })
  })
})

describe('one copy opens another section over that of the other', () => {
  const orders = ['a b c', 'a c b', 'b a c', 'b c a', 'c a b', 'c b a']
  const sections = `
    const a = section(signals)
    const b = section(other)
    const c = section(signals)`

  it.each(orders)('a listener hears what came, once, and what comes after; they end in the order %s', async (order) => {
    expect(
      await run(`
        process.on('SIGUSR2', () => print('heard'))
        for (let i = 0; i < 2; i += 1) {
          ${sections}
          process.kill(self, 'SIGUSR2')
          await hears()
          print('inside')
          for (const end of [${order.split(' ')}]) await end()
          await hears()
          process.kill(self, 'SIGUSR2')
          await hears()
        }`),
    ).toEqual(well(...Array(2).fill(['inside', 'heard', 'heard']).flat()))
  })

  it.each(orders)('the default action is done; they end in the order %s', async (order) => {
    expect(
      await run(`
        ${sections}
        for (const end of [${order.split(' ')}]) await end()
        print('outside')
        process.kill(self, 'SIGUSR2')
        await hears()`),
    ).toEqual({ said: ['outside'], code: null, signal: 'SIGUSR2' })
  })

  it('or ignores the signal over it', async () => {
    expect(
      await run(`
        process.on('SIGUSR2', () => print('heard'))
        const a = section(signals)
        const ignoring = other.ignore(['SIGUSR2', 40])
        const c = section(signals)
        await c()
        await a()
        ignoring[Symbol.dispose]()
        for (let i = 0; i < 2; i += 1) {
          process.kill(self, 'SIGUSR2')
          await hears()
        }`),
    ).toEqual(well('heard', 'heard'))
  })
})

it.each([
  ['comes', '', `process.on('SIGUSR2', listener)`, ['heard', 'heard']],
  ['goes', `process.on('SIGUSR2', listener)`, `process.off('SIGUSR2', listener)`, []],
])('when the listener %s between sections, what is there then counts', async (_name, before, between, heard) => {
  const { said, ...exit } = await run(`
    const listener = () => print('heard')
    const overlap = async (inside) => {
      const first = section(signals)
      const second = section(other)
      inside()
      await first()
      await second()
    }
    ${before}
    await overlap(() => {})
    ${between}
    await overlap(() => process.kill(self, 'SIGUSR2'))
    await hears()
    process.kill(self, 'SIGUSR2')
    await hears()`)
  const ended = heard.length > 0 ? { code: 0, signal: null } : { code: null, signal: 'SIGUSR2' }
  expect({ said, exit }).toEqual({ said: heard, exit: ended })
})

it('a wait of one takes what the other holds', async () => {
  expect(
    await run(`
      await signals.hold(['SIGUSR2', 40], async () => {
        const waiting = other.wait(['SIGUSR2', 40])
        process.kill(self, 40)
        print((await waiting).name)
        process.kill(self, 40)
        print(signals.waitSync([40], 0).name)
      })
      print(disposition(40))`),
  ).toEqual(well(40, 40, 'default'))
})
