/** The recipe for a cluster: requests that are under way at Ctrl-C are finished, and without it all are lost. */

import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { limit } from '../support/limits.js'
import { processOf } from '../support/process-table.mjs'
import { until } from '../support/processes.js'
import { Shell } from '../support/protect/shell.js'
import { CTRL_C } from '../support/terminal.js'

const recipe = join(import.meta.dirname, '../../examples/cluster.mjs')
const plain = join(import.meta.dirname, '../support/protect/plain-cluster.mjs')
const CONNECTIONS = 9

async function freePort(): Promise<number> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await (await fetch(url)).text()) === 'done\n'
  } catch {
    return false
  }
}

/** A cluster in a terminal, that answers after `workMs`. */
async function start(program: string, workMs: number) {
  const port = await freePort()
  const shell = await Shell.open()
  shell.type(`PORT=${port} WORK_MS=${workMs} node ${program}`)
  const url = `http://127.0.0.1:${port}/`
  while (!(await answers(url)));
  const isNode = (pid: number) => processOf(pid)?.name.startsWith('node') || processOf(pid)?.name === 'MainThread'
  const nodes = () => shell.living().filter(isNode)
  const primary = nodes().find((pid) => processOf(pid)?.parent === shell.leader) as number
  const workers = () => nodes().filter((pid) => pid !== primary)
  await until(() => workers().length === 2, 'both workers run')
  return { shell, url, primary, workers }
}

/** Requests, one after the other, on connections that stay. A refused connection is no request that was lost. */
function load(url: string) {
  const lost: string[] = []
  let answered = 0
  let isOver = false
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const ask = () =>
    new Promise<void>((resolve) => {
      const fail = (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ECONNREFUSED') lost.push(error.code ?? error.message)
        else isOver = true
        resolve()
      }
      const done = (response: IncomingMessage) => {
        answered += 1
        response.on('error', fail).on('end', resolve).resume()
      }
      // A connection on its way to a worker that is killed stays open in the primary, and nobody reads it.
      const request = get(url, { agent, timeout: limit(10_000) }, done).on('error', fail)
      request.on('timeout', () => request.destroy(new Error('no answer')))
    })
  const client = async () => {
    while (!isOver) await ask()
  }
  const end = Promise.all(Array.from({ length: CONNECTIONS }, client))
  const stop = async () => {
    isOver = true
    await end
    agent.destroy()
  }
  onTestFinished(stop)
  return {
    lost,
    stop,
    async more(count: number) {
      const enough = answered + count
      await until(() => answered >= enough, `${count} more answers`)
    },
  }
}

describe('a rolling restart', () => {
  /** Every connection has a request under way nearly all the time. */
  async function restart(program: string) {
    const { url, primary, workers, shell } = await start(program, 200)
    const before = workers()
    const traffic = load(url)
    await traffic.more(CONNECTIONS)
    process.kill(primary, 'SIGUSR2')
    await until(() => workers().length === 2 && !workers().some((pid) => before.includes(pid)), 'both are others')
    await traffic.more(CONNECTIONS)
    await traffic.stop()
    return { lost: traffic.lost, shell }
  }

  it('replaces one worker after the other and loses no request, and Ctrl-C then ends the new ones', async () => {
    const { lost, shell } = await restart(recipe)
    expect(lost).toEqual([])
    shell.press(CTRL_C)
    expect(await shell.ended()).toBe(130)
    expect(shell.living()).toEqual([])
  })

  it('which kills the workers loses some (the control)', async () => {
    expect((await restart(plain)).lost).not.toEqual([])
  })
})

describe('Ctrl-C', () => {
  /** The requests that are under way at the key. */
  async function press(program: string) {
    const { shell, url } = await start(program, 1000)
    const requests = Array.from({ length: CONNECTIONS }, () => answers(url))
    // They are with the workers when the next is answered by none.
    await new Promise((resolve) => setTimeout(resolve, 300))
    shell.press(CTRL_C)
    const finished = (await Promise.all(requests)).filter(Boolean).length
    return { finished, status: await shell.ended(), shell }
  }

  it('has all requests finished, and all workers joined', async () => {
    const { finished, status, shell } = await press(recipe)
    expect([finished, status, shell.living()]).toEqual([CONNECTIONS, 130, []])
  })

  /** What a client loses that has a request under way nearly all the time, until it is refused. */
  async function pressUnderLoad(program: string) {
    const { shell, url } = await start(program, 200)
    const traffic = load(url)
    await traffic.more(CONNECTIONS)
    shell.press(CTRL_C)
    await shell.ended()
    await traffic.stop()
    return traffic.lost
  }

  it('loses no request under load, and some without it (the control)', async () => {
    expect(await pressUnderLoad(recipe)).toEqual([])
    expect(await pressUnderLoad(plain)).not.toEqual([])
  })

  it('kills the workers in the middle of them without it (the control)', async () => {
    expect((await press(plain)).finished).toBe(0)
  })
})
