/** Which programs the guard covers, and that nothing is started where it does not. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { forkProtected, spawnProtected } from 'sigshield'
import { describe, expect, it, onTestFinished } from 'vitest'
import { GUARD_LIBRARY } from '../../lib/native/guard-library.js'
import { programs } from '../support/build-programs.js'
import { elfFile } from '../support/guard/elf.js'
import { NodeProgram } from '../support/node-program.js'
import { ended, nothing, temporaryFolder } from '../support/processes.js'

const enforce = 'guard'
const NOBODY = 65534
const guarded = join(programs, 'guarded')

/** How it is refused, or what the guard leaves of its handlers. */
async function outcome(file: string, options: object = {}, args = ['sigaction']) {
  try {
    const child = ended(spawnProtected(file, args, { enforce, ...options }))
    if (child.pid === undefined) throw (await once(child, 'error'))[0]
    let text = ''
    for await (const chunk of child.stdout ?? []) text += chunk
    return { enforced: child.enforced, ...JSON.parse(text) }
  } catch (error) {
    const { code, step, message } = error as NodeJS.ErrnoException & { step: string }
    return { code, step, message }
  }
}

const covered = expect.objectContaining({ enforced: 'guard', before: 'ignored', handled: 0 })
const refused = (why: RegExp) => ({ code: 'ENOTSUP', step: 'guard', message: expect.stringMatching(why) })

/** A file of a test's own. */
function fileOf(content: Buffer | string, name = 'program'): string {
  const path = join(temporaryFolder(), name)
  writeFileSync(path, content, { mode: 0o755 })
  return path
}

function copyOf(program: string, mode = 0o755): string {
  const path = join(temporaryFolder(), 'program')
  copyFileSync(program, path)
  chmodSync(path, mode)
  return path
}

/** A folder that others may enter. */
function openCopyOf(program: string, owner: number, mode: number): string {
  const path = copyOf(program)
  chmodSync(join(path, '..'), 0o755)
  chownSync(path, owner, owner)
  chmodSync(path, mode)
  return path
}

/** As a linker marks it. */
function otherMachine(whole: Buffer): Buffer {
  const other = Buffer.from(whole)
  other.writeUInt16LE(process.arch === 'x64' ? 183 : 62, 18)
  return other
}

function compiled(code: string, ...flags: string[]): string {
  const source = fileOf(code, 'program.c')
  const program = join(source, '../compiled')
  execFileSync('cc', [...flags, '-o', program, source])
  return program
}

describe('covered is', () => {
  it('a program by its path, by its name, and by a path from its folder', async () => {
    expect(await outcome(guarded)).toEqual(covered)
    expect(await outcome('guarded', { env: { PATH: `/nowhere:${programs}` } })).toEqual(covered)
    expect(await outcome('./guarded', { cwd: programs })).toEqual(covered)
  })

  it('a program whose folder was removed', async () => {
    const [before, folder] = [process.cwd(), temporaryFolder()]
    onTestFinished(() => process.chdir(before))
    process.chdir(folder)
    rmdirSync(folder)
    expect(await outcome(guarded)).toEqual(covered)
    expect(await outcome('guarded', { env: { PATH: `nowhere:${programs}` } })).toEqual(covered)
  })

  it('what a script is for', async () => {
    const first = fileOf(`#!${guarded} sigaction\n`)
    expect(await outcome(first, {}, [])).toEqual(covered)
    expect(await outcome(fileOf(`#! ${fileOf(`#!${guarded} sigaction\n`)}\n`), {}, [])).toMatchObject({
      enforced: 'guard',
    })
  })

  it('the shell that runs a file without a known format, and what it starts', async () => {
    expect(await outcome(fileOf(`exec ${guarded} "$@"\n`))).toEqual(covered)
    expect(await outcome(`${guarded} sigaction`, { shell: true }, [])).toEqual(covered)
  })

  it('a program that is setuid to who executes it', async () => {
    expect(await outcome(copyOf(guarded, 0o4755))).toEqual(covered)
  })

  it('one that is replaced by another, which is asked anew', async () => {
    const path = copyOf(guarded)
    expect(await outcome(path)).toEqual(covered)
    renameSync(copyOf(nothing), path)
    expect(await outcome(path)).toEqual(refused(/static/))
  })
})

/** As elf(5) numbers them. */
const OWN_MACHINE = process.arch === 'arm64' ? 183 : 62

describe('refused is', () => {
  it.each([
    ['a static program', () => nothing, /it is static/],
    ['a script for one', () => fileOf(`#!${nothing}\n`), /it is static/],
    ['a program of another machine', () => fileOf(elfFile({ machine: 0xf3 })), /another machine/],
    ['a Go program', () => fileOf(elfFile({ machine: OWN_MACHINE, note: 'Go\0\0' })), /Go program/],
    ['one that is cut off', () => fileOf(elfFile({ machine: OWN_MACHINE }).subarray(0, 70)), /cut off/],
  ])('%s', async (_what, file, why) => {
    expect(await outcome(file())).toEqual(refused(why))
  })

  describe('for another user', () => {
    const other = { uid: NOBODY, gid: NOBODY }

    it('a setuid or setgid program, and not one without', async () => {
      expect(process.getuid?.(), 'this test needs root').toBe(0)
      expect(await outcome(openCopyOf(guarded, 0, 0o4755), other)).toEqual(refused(/setuid or setgid/))
      expect(await outcome(openCopyOf(guarded, 0, 0o2755), other)).toEqual(refused(/setuid or setgid/))
    })

    it('one with capabilities', async () => {
      const path = openCopyOf(guarded, 0, 0o755)
      // CAP_NET_BIND_SERVICE, permitted and effective (capabilities(7)).
      const capabilities = `bytes.fromhex('0100000200040000000000000000000000000000')`
      execFileSync('python3', ['-c', `import os; os.setxattr('${path}', 'security.capability', ${capabilities})`])
      expect(await outcome(path, other)).toEqual(refused(/its file has capabilities/))
      expect(await outcome(path), 'root gains nothing by them').toEqual(covered)
    })
  })

  it('a program that runs without it against all that its file says', async () => {
    // Its loader is a program that loads nothing.
    const path = compiled('int main(void) { return 0; }', `-Wl,--dynamic-linker=${nothing}`)
    expect(await outcome(path)).toEqual(refused(/nothing in its file says why/))
  })

  it('one whose own sigaction comes before all libraries', async () => {
    const path = compiled(
      `#include <signal.h>
       int __sigaction(int, const struct sigaction*, struct sigaction*);
       int sigaction(int s, const struct sigaction* a, struct sigaction* o) { return __sigaction(s, a, o); }
       int main(void) { return 0; }`,
      '-rdynamic',
      '-Wno-nonnull-compare',
    )
    expect(await outcome(path)).toEqual(refused(/nothing in its file says why/))
  })

  it('one with a library before the guard that calls past it, though without that it is covered', async () => {
    expect(await outcome(guarded)).toEqual(covered)
    const library = compiled(
      `#include <signal.h>
       int __sigaction(int, const struct sigaction*, struct sigaction*);
       int sigaction(int s, const struct sigaction* a, struct sigaction* o) { return __sigaction(s, a, o); }`,
      '-shared',
      '-fPIC',
      '-Wno-nonnull-compare',
    )
    const env = { ...process.env, LD_PRELOAD: library }
    expect(await outcome(guarded, { env })).toEqual(refused(/nothing in its file says why/))
    expect(await outcome(guarded)).toEqual(covered)
  })

  it('any, where the library was not built', async () => {
    const folder = stage('plain')
    const program = new NodeProgram(
      `import { forkProtected, spawnProtected } from '${folder}/dist/index.js'
       for (const start of [() => forkProtected('none.mjs', { enforce: 'guard' }), () => spawnProtected('true', { enforce: 'guard' })])
         try { start(); console.log('started') } catch ({ code, step, message }) { console.log(code, step, message) }`,
      [],
    )
    const { rest } = await program.end()
    expect(rest).toEqual([
      expect.stringMatching(
        /^ENOTSUP guard .*its library is missing beside the addon. (Remove .*, which is not of the package|Build what SIGSHIELD_PREBUILD names)/,
      ),
      expect.stringMatching(/^ENOTSUP guard /),
    ])
  })

  it.each([
    ['is empty', () => Buffer.alloc(0), 'it is no library of a system that sigshield knows'],
    ['is cut off', (whole: Buffer) => whole.subarray(0, whole.length / 2), 'it is cut off'],
    ['is for another machine', otherMachine, /it was made for linux-\w+, and this Node for linux-/],
  ])('any, where the library %s: nothing has run', async (_what, damage, why) => {
    const folder = stage('plain', true)
    const library = join(folder, 'build/Release', GUARD_LIBRARY)
    writeFileSync(library, damage(readFileSync(library)))
    const program = new NodeProgram(
      `delete process.env.SIGSHIELD_PREBUILD
       const { spawnProtected } = await import('${folder}/dist/index.js')
       try { spawnProtected('sh', ['-c', 'echo lives'], { enforce: 'guard', stdio: 'inherit' }) }
       catch ({ code, step, message }) { console.log(code, step, message) }`,
      [],
    )
    const [said, ...rest] = (await program.end()).rest
    expect(said).toMatch(why)
    expect(said).toMatch(/^ENOTSUP guard .*its library \S+ is unfit: /)
    expect(rest).toEqual([])
  })

  it('any, where no descriptor is left: the system’s own error', async () => {
    const program = new NodeProgram(`
      import { closeSync, openSync } from 'node:fs'
      import { spawnProtected } from 'sigshield'
      await new Promise((resolve) => spawnProtected('true').on('exit', resolve))
      const held = []
      try { for (;;) held.push(openSync('/dev/null')) } catch {}
      const child = spawnProtected('cat', { enforce: 'guard', stdio: 'ignore' })
      child.on('error', ({ code, step, message }) => console.log(code, step, message))
      for (const fd of held) closeSync(fd)`)
    expect((await program.end()).rest).toEqual([
      expect.stringMatching(/^EMFILE guard .*its file can’t be read \(EMFILE\)/),
    ])
  })

  it('any, where the loader can’t be told of the library', async () => {
    const folder = stage('with space', true)
    const program = new NodeProgram(
      `import { spawnProtected } from ${JSON.stringify(`${folder}/dist/index.js`)}
       try { spawnProtected('true', { enforce: 'guard' }) } catch ({ code, step, message }) { console.log(code, step, message) }`,
    )
    expect((await program.end()).rest).toEqual([expect.stringMatching(/^ENOTSUP guard .*no path with such characters/)])
  })
})

/** The library as it is installed, in a folder of this name. */
function stage(name: string, withGuard = false): string {
  const folder = join(temporaryFolder(), name)
  mkdirSync(join(folder, 'build/Release'), { recursive: true })
  const root = join(import.meta.dirname, '../..')
  for (const part of ['dist', 'package.json']) cpSync(join(root, part), join(folder, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const isGuard = (file: string) => file.startsWith('sigshield-guard.')
  const files = readdirSync(join(root, 'build/Release')).filter((file) => file.startsWith('sigshield'))
  for (const file of files.filter((file) => withGuard || !isGuard(file)))
    copyFileSync(join(root, 'build/Release', file), join(folder, 'build/Release', file))
  return folder
}

it('a fork that is refused is an exception', () => {
  expect(() => forkProtected('none.mjs', { enforce, execPath: nothing })).toThrow(/ENOTSUP/)
})
