/** node --import sigshield/protect: a whole program, that knows nothing of it. */

import { spawn } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { closed, ended, signalSet, temporaryFolder } from '../support/processes.js'
import { Shell } from '../support/protect/shell.js'
import { CTRL_C } from '../support/terminal.js'

const app = `require('node:child_process').spawn('${signalSet}', { stdio: 'inherit' })`

/** A program with the library installed. */
function folderOf(files: Record<string, string>): string {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(join(import.meta.dirname, '../..'), join(folder, 'node_modules/sigshield'))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

async function run(folder: string, env: NodeJS.ProcessEnv = {}, flags = ['--import', 'sigshield/protect']) {
  const child = ended(
    spawn(process.execPath, [...flags, 'bin/app.cjs'], {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  )
  const end = closed(child)
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { out: out.trim(), err, code: (await end).code }
}

const file = { 'bin/app.cjs': app }
const settings = (value: unknown) => JSON.stringify({ name: 'app', sigshield: value })

describe('the options', () => {
  it('are the defaults, where nothing is said', async () => {
    expect(await run(folderOf(file))).toMatchObject({ out: '2', err: '', code: 0 })
    expect(await run(folderOf(file), {}, [])).toMatchObject({ out: '', code: 0 })
  })

  it('are those of the package.json that is nearest to the program', async () => {
    expect(await run(folderOf({ ...file, 'package.json': settings({ ignore: ['SIGHUP'] }) }))).toMatchObject({
      out: '1',
    })
    const nested = { ...file, 'package.json': settings({ ignore: ['SIGHUP'] }), 'bin/package.json': '{}' }
    expect(await run(folderOf(nested))).toMatchObject({ out: '2' })
  })

  it.each([
    ['SIGHUP', '1'],
    ['SIGINT, SIGHUP', '1 2'],
    ['{"ignore":["SIGINT","SIGTERM"],"grace":1000}', '2 15'],
    ['{}', '2'],
    ['', '3'],
  ])('are those of SIGSHIELD_PROTECT=%s before all', async (value, ignored) => {
    const folder = folderOf({ ...file, 'package.json': settings({ ignore: ['SIGQUIT'] }) })
    expect(await run(folder, { SIGSHIELD_PROTECT: value })).toMatchObject({ out: ignored, err: '' })
  })

  it.each([
    ['no file', []],
    ['an argument that looks like one', ['app.cjs']],
  ])('are the defaults for a program that is %s, where its folder was removed', async (_what, args) => {
    const preload = join(import.meta.dirname, '../../dist/preload.js')
    const code = `require('node:child_process').execFile('grep', ['SigIgn', '/proc/self/status'], (_, out) => console.log(out))`
    const script = 'cd "$1"; rmdir "$1"; shift; exec "$@"'
    const node = [process.execPath, '--import', preload, '-e', code, ...args]
    const child = ended(
      spawn('sh', ['-c', script, 'sh', temporaryFolder(), ...node], { stdio: ['ignore', 'pipe', 'inherit'] }),
    )
    expect(await text(child.stdout)).toContain('0002\n')
  })

  it.each([
    ['SIGFOO', "Unknown signal: 'SIGFOO'"],
    ['{"ignore":', 'JSON'],
    ['["SIGINT"]', 'must be an object'],
    ['{"ignore":"SIGINT"}', 'an array of signals'],
    ['{"ingore":[]}', "'options.ingore' is no option"],
    ['{"exitEvent":{}}', 'exit event'],
    ['SIGTERM', "'grace' or 'signal'"],
  ])('that are wrong are told at the start: %s', async (value, message) => {
    const { out, err, code } = await run(folderOf(file), { SIGSHIELD_PROTECT: value })
    expect([out, code]).toEqual(['', 1])
    expect(err).toMatch(/TypeError.*: SIGSHIELD_PROTECT: /)
    expect(err).toContain(message)
  })

  it('that are wrong in a package.json are told with its path', async () => {
    const folder = folderOf({ ...file, 'package.json': settings('SIGINT') })
    expect(await run(folder)).toMatchObject({
      out: '',
      code: 1,
      err: expect.stringContaining(`"sigshield" of ${join(folder, 'package.json')}: `),
    })
  })
})

describe('in a terminal', () => {
  it('a program that listens to nothing is ended with all its children', async () => {
    const shell = await Shell.open(
      folderOf({
        'app.cjs': `require('node:child_process').spawn('echo up; sleep 1000; echo never', { shell: true, stdio: 'inherit' })`,
      }),
    )
    shell.type('node --import sigshield/protect app.cjs')
    await shell.shows('up')
    shell.press(CTRL_C)
    expect(await shell.ended()).toBe(130)
    await shell.isEmpty()
  })

  it('a file worker is covered too', async () => {
    const worker = app
    const main = `new (require('node:worker_threads').Worker)(require('node:path').join(__dirname, 'worker.cjs'))`
    expect(await run(folderOf({ 'bin/app.cjs': main, 'bin/worker.cjs': worker }))).toMatchObject({
      out: '2',
      code: 0,
    })
  })
})
