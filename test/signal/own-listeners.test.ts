/** Listeners that come and go inside a scope: libuv writes the signal's action for the first and the last one. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { programs } from '../support/build-programs.js'
import { limit, times } from '../support/limits.js'
import { NodeProgram } from '../support/node-program.js'
import { closed, ended, line } from '../support/processes.js'
import { runSignals, well } from '../support/signal/signal-program.js'

const CHANGES = times(20_000)

/** Sends SIGUSR2 as fast as it can until the program is gone, and says so once it has begun. */
const flood = (pid: number) =>
  ended(
    spawn('bash', ['-c', `kill -USR2 ${pid}; echo floods; while kill -USR2 ${pid} 2> /dev/null; do :; done`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  )

/** The first listener comes and the last one goes, again and again, in a flood of signals. */
const changing = (open: string, close: string) => `
  import { hold, ignore, wait } from 'sigshield/signals'
  setInterval(() => {}, 1000)
  let inside = 0
  let flooded = false
  process.once('SIGHUP', () => { flooded = true })
  const listener = () => { inside += 1 }
  const turn = () => new Promise(setImmediate)
  let end = Infinity
  const change = async () => {
    for (let i = 0; i < end; i += 1) {
      process.on('SIGUSR2', listener)
      process.off('SIGUSR2', listener)
      if (i % 100 !== 0) continue
      await turn()
      if (flooded) end = i + ${CHANGES}
      flooded = false
    }
    process.on('SIGUSR2', listener)
    await turn()
  }
  ${open}
  console.log('ready')
  await change()
  await turn()
  const told = inside
  ${close}
  while (inside === told) await turn()
  console.log(told)
  process.exit()`

describe('the first listener that comes and the last that goes, in a flood of signals', () => {
  it.each([
    [
      'hold',
      `let over; const held = hold(['SIGUSR2'], () => new Promise((resolve) => { over = resolve }))`,
      'over(); await held',
    ],
    ['ignore', `const ignored = ignore(['SIGUSR2'])`, 'ignored[Symbol.dispose](); await turn()'],
  ])(
    '%s: none is heard inside, none ends the process',
    async (_name, open, close) => {
      const program = new NodeProgram(changing(open, close))
      await program.says('ready')
      const sender = flood(program.pid)
      const end = closed(sender)
      expect(await line(sender.stdout)).toBe('floods')
      program.kill('SIGHUP')
      expect(await program.end()).toEqual({ rest: ['0'], code: 0, signal: null })
      await end
    },
    limit(60_000),
  )

  it('without them the default action ends the process', async () => {
    const program = new NodeProgram(changing('', ''))
    await program.says('ready')
    const end = closed(flood(program.pid))
    expect(await program.end()).toEqual({ rest: [], code: null, signal: 'SIGUSR2' })
    await end
  })
})

/** A signal that came just before a section, in another thread, whose handler comes to the listeners inside. */
describe('the handler of a signal that came before goes on inside, in another thread', () => {
  const goesOn = (code: string) =>
    runSignals(
      `
      const goOn = () => signals.describe('SIGUSR2')
      const over = goOn
      const heard = () => once(process, 'SIGUSR2')
      const listeners = {}
      const add = (name) => process.on('SIGUSR2', (listeners[name] = () => print(name)))
      const remove = (name) => process.off('SIGUSR2', listeners[name])
      add('first')
      goOn()
      await signals.hold(['SIGUSR2'], async () => {
        ${code}
        print('inside')
      })
      const hangup = once(process, 'SIGHUP')
      process.kill(self, 'SIGHUP')
      await hangup`,
      { ...process.env, LD_PRELOAD: join(programs, 'late-handler.so') },
    )

  const once = `process.once('SIGUSR2', () => print('once'))`
  it.each([
    ['before the listener goes', `goOn(); over(); await heard(); remove('first'); add('second')`, ['first', 'inside']],
    ['while there is none', `remove('first'); goOn(); over(); add('second')`, ['inside', 'second']],
    ['after the next has come', `remove('first'); add('second'); goOn(); over(); await heard()`, ['second', 'inside']],
    ['as it is told already', `remove('first'); add('second'); goOn(); await heard(); over()`, ['second', 'inside']],
    [
      'to one that hears it and goes',
      `remove('first'); ${once}; goOn(); over(); await heard(); add('second')`,
      ['once', 'inside'],
    ],
    [
      'to one that hears it already and goes',
      `remove('first'); ${once}; goOn(); await heard(); over(); add('second')`,
      ['once', 'inside'],
    ],
  ])('%s: one listener hears it, once', async (_name, code, said) => {
    expect(await goesOn(code)).toEqual(well(...said))
  })
})

it(
  'no signal is lost or doubled while its last listener goes and comes in every section',
  async () => {
    const count = times(500)
    const stdio = ['pipe', 'pipe', 'inherit'] as const
    const program = new NodeProgram(
      `
    import { hold } from 'sigshield/signals'
    let heard = 0
    let sent = 0
    const listener = () => { heard += 1; console.log('heard ' + heard) }
    const turn = () => new Promise(setImmediate)
    process.on('SIGUSR2', listener)
    process.stdin.on('data', (bytes) => { sent += bytes.length })
    for (let i = 1; i <= ${count}; i += 1) {
      await hold(['SIGUSR2'], async () => {
        console.log('inside')
        for (; sent < i; await turn()) {
          process.off('SIGUSR2', listener)
          process.on('SIGUSR2', listener)
        }
      })
      while (heard < i) await turn()
    }
    console.log(heard === ${count})
    process.exit()`,
      [],
      { stdio: [...stdio] },
    )
    program.child.stdin?.on('error', () => {})
    for (let i = 1; i <= count; i += 1) {
      await program.says('inside')
      program.kill('SIGUSR2')
      program.child.stdin?.write('.')
      await program.says(`heard ${i}`)
    }
    expect(await program.end()).toEqual({ rest: ['true'], code: 0, signal: null })
  },
  limit(60_000),
)
