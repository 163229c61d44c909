import { join } from 'node:path'
import { expect, it } from 'vitest'
import { programs } from '../support/build-programs.js'
import { limit } from '../support/limits.js'
import { NodeProgram } from '../support/node-program.js'

const COUNT = 2000
const BYTES_PER_CHILD = 500

/** Memory that stays for each child that has ended, beyond what a warm supervisor takes. */
const measure = (listen: string) => `
  import { once } from 'node:events'
  import { readdirSync } from 'node:fs'
  import { Supervisor } from 'sigshield'
  const supervisor = new Supervisor()
  ${listen}
  const run = async (count) => {
    for (let i = 0; i < count; i += 10) {
      const ends = Array.from({ length: 10 }, () => once(supervisor.spawn('${join(programs, 'nothing')}', { stdio: 'ignore' }), 'exit'))
      await Promise.all(ends)
    }
  }
  const settled = async () => {
    for (let i = 0; i < 5; i += 1) { gc(); await new Promise(setImmediate) }
    return { heap: process.memoryUsage().heapUsed, descriptors: readdirSync('/dev/fd').length }
  }
  await run(300)
  const before = await settled()
  await run(${COUNT})
  const after = await settled()
  console.log(JSON.stringify([(after.heap - before.heap) / ${COUNT}, after.descriptors - before.descriptors, supervisor.counts.ended]))`

it(
  'a child that ended unheard leaves a count, and nothing that grows',
  async () => {
    const program = new NodeProgram(measure(''), [], { env: { ...process.env, NODE_OPTIONS: '--expose-gc' } })
    const [bytes, descriptors, ended] = JSON.parse(await program.line())
    expect([descriptors, ended]).toEqual([0, COUNT + 300])
    expect(bytes).toBeLessThan(BYTES_PER_CHILD)
  },
  limit(60_000),
)

it(
  'which is less than what the outcomes alone would take, were they kept (the control)',
  async () => {
    const keep = 'const kept = []; supervisor.on("exit", (outcome) => kept.push(outcome))'
    const program = new NodeProgram(measure(keep), [], { env: { ...process.env, NODE_OPTIONS: '--expose-gc' } })
    const [bytes] = JSON.parse(await program.line())
    expect(bytes).toBeGreaterThan(BYTES_PER_CHILD)
  },
  limit(60_000),
)
