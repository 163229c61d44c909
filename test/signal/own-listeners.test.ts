/** Listeners that come and go inside a scope: libuv writes the signal's action for the first and the last one. */
import { spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { limit, times } from '../support/limits.js'
import { NodeProgram } from '../support/node-program.js'
import { closed, ended, line } from '../support/processes.js'

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

it(
  'no signal is lost or doubled while its last listener goes and comes in every section',
  async () => {
    const count = times(500)
    const program = new NodeProgram(`
      import { hold } from 'sigshield/signals'
      let heard = 0
      const listener = () => { heard += 1; console.log('heard ' + heard) }
      process.on('SIGUSR2', listener)
      console.log('ready')
      while (heard < ${count}) {
        await hold(['SIGUSR2'], async () => {
          // One that came before is Node's to tell: a listener that goes first does not hear of it.
          await new Promise(setImmediate)
          await new Promise(setImmediate)
          for (let i = 0; i < 20; i += 1) {
            process.off('SIGUSR2', listener)
            process.on('SIGUSR2', listener)
          }
        })
        await new Promise(setImmediate)
      }
      console.log(heard === ${count})`)
    await program.says('ready')
    for (let i = 1; i <= count; i += 1) {
      program.kill('SIGUSR2')
      await program.says(`heard ${i}`)
    }
    expect(await program.end()).toEqual({ rest: ['true'], code: 0, signal: null })
  },
  limit(60_000),
)
