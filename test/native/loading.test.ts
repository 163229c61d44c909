/** Which addon is loaded, and what is said where there is none: by copies of the library, each in a folder as it is installed. */
import { execFile, execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, it } from 'vitest'
import { libc, system } from '../../lib/native/system.js'
import { targets } from '../../packaging/linux.mjs'
import { temporaryFolder } from '../support/processes.js'

const root = join(import.meta.dirname, '../..')
const built = join(root, 'build/Release/sigshield.node')

let folder = ''
beforeEach(() => {
  folder = temporaryFolder()
  for (const part of ['dist', 'package.json']) cpSync(join(root, part), join(folder, part), { recursive: true })
  put('source/binding.gyp', '{}')
})

function put(place: string, content: string | Buffer | undefined = undefined): void {
  mkdirSync(dirname(join(folder, place)), { recursive: true })
  if (content === undefined) copyFileSync(built, join(folder, place))
  else writeFileSync(join(folder, place), content)
}

const code = `
  import { spawnProtected } from './dist/index.js'
  try {
    const child = spawnProtected('sh', ['-c', 'kill -INT $$; exit 7'])
    child.on('exit', (code) => console.log(code))
  } catch ({ code, message }) {
    console.log(code, message)
  }`

/** What a start there says: 7, or the error. */
async function outcome(
  source = code,
  environment: NodeJS.ProcessEnv = {},
  flags: readonly string[] = [],
): Promise<string> {
  const env = { ...process.env, SIGSHIELD_PREBUILD: undefined, ...environment }
  const options = { cwd: folder, env }
  const args = [...flags, '--input-type=module', '-e', source]
  const { stdout } = await promisify(execFile)(process.execPath, args, options)
  return stdout.trim()
}

const command = () => `npx --yes node-gyp rebuild -C '${folder}/source'`

describe('it is found', () => {
  it.each([
    'build/Release/sigshield.node',
    'source/build/Release/sigshield.node',
    `prebuilds/${system()}/sigshield.node`,
  ])('in %s', async (place) => {
    put(place)
    expect(await outcome()).toBe('7')
  })

  it('where it was built first', async () => {
    put(`prebuilds/${system()}/sigshield.node`, 'no addon')
    put('source/build/Release/sigshield.node')
    expect(await outcome()).toBe('7')
  })

  it('where SIGSHIELD_PREBUILD says, and nowhere else', async () => {
    put('build/Release/sigshield.node')
    put('elsewhere/build/Release/sigshield.node')
    expect(await outcome(code, { SIGSHIELD_PREBUILD: join(folder, 'elsewhere') })).toBe('7')
    expect(await outcome(code, { SIGSHIELD_PREBUILD: 'elsewhere' })).toBe('7')
    rmSync(join(folder, 'elsewhere'), { recursive: true })
    expect(await outcome(code, { SIGSHIELD_PREBUILD: join(folder, 'elsewhere') })).toMatch(
      /^ERR_DLOPEN_FAILED .* where SIGSHIELD_PREBUILD says that it is. Looked for [^ ]*elsewhere\/build\/Release\/sigshield.node.$/,
    )
  })
})

describe('it is not there', () => {
  it('as the package was copied in part', async () => {
    const said = await outcome()
    expect(said).toMatch(
      new RegExp(`^ERR_DLOPEN_FAILED .* prebuilds/${system()} of the package was left out of this copy`),
    )
    for (const place of ['build/Release', 'source/build/Release', `prebuilds/${system()}`]) {
      expect(said).toContain(join(folder, place, 'sigshield.node'))
    }
    expect(said).toContain(`Install the package again. Or else: Build it: \`${command()}\``)
  })

  it('nor are its sources', async () => {
    rmSync(join(folder, 'source'), { recursive: true })
    expect(await outcome()).toMatch(/ Install the package again\.$/)
  })

  it('for this system', async () => {
    const said = await outcome(`Object.defineProperty(process, 'platform', { value: 'darwin' })
      Object.defineProperty(process, 'arch', { value: 'riscv64' })\n${code}`)
    const shipped = ['arm64', 'x64'].map((arch) => `darwin-${arch}`).concat(Object.keys(targets).sort())
    expect(said).toContain(`brings no addon for darwin-riscv64, only for ${shipped.join(', ')}.`)
  })

  it('in a path that a shell would read otherwise', async () => {
    const odd = join(folder, "it's $HOME `id`")
    mkdirSync(odd)
    for (const part of ['dist', 'source', 'package.json']) renameSync(join(folder, part), join(odd, part))
    const said = await outcome(code.replace("'./dist/index.js'", JSON.stringify("./it's $HOME `id`/dist/index.js")))
    const [, told = ''] = said.match(/-C (.*)` \(it needs/) ?? []
    expect(execFileSync('sh', ['-c', `printf %s ${told}`], { encoding: 'utf8' })).toBe(join(odd, 'source'))
  })

  it('and can’t be built for this machine', async () => {
    const elsewhere = "Object.defineProperty(process, 'arch', { value: 's390x' })"
    const said = await outcome(`${elsewhere}\n${code}`)
    expect(said).toMatch(/^ERR_FEATURE_UNAVAILABLE_ON_PLATFORM .* for linux-s390x-\w+, only for darwin-arm64, /)
  })

  it('in the repository, where it is to be built', async () => {
    put('binding.gyp', '{}')
    expect(await outcome()).toMatch(/^ERR_DLOPEN_FAILED The sigshield addon is not built.*`npm run build:native` in /)
  })

  it('as the library was bundled', async () => {
    renameSync(join(folder, 'dist'), join(folder, 'bundle'))
    rmSync(join(folder, 'package.json'))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    expect(await outcome(code.replace('./dist', './bundle'))).toMatch(
      /^ERR_DLOPEN_FAILED .*bundled, or copied without its package.* mark sigshield as external/,
    )
  })
})

describe('it is there, and', () => {
  const place = `prebuilds/${system()}/sigshield.node`

  it.each([200, 10_000, statSync(built).size / 2])('cut off, after %d bytes: told, and no SIGBUS', async (size) => {
    put(place, readFileSync(built).subarray(0, size))
    expect(await outcome()).toMatch(/can't be loaded: it is cut off\. Install the package again\.$/)
  })

  it('a folder, which is no addon', async () => {
    mkdirSync(join(folder, place), { recursive: true })
    expect(await outcome()).toMatch(/^ERR_DLOPEN_FAILED The sigshield addon is missing: .* Install the package again\./)
  })

  it('no descriptor is left: the system’s error, and it is loaded when there is one', async () => {
    put(place)
    const said = await outcome(`
      import { closeSync, openSync } from 'node:fs'
      import { spawnProtected } from './dist/index.js'
      const held = []
      try { for (;;) held.push(openSync('/dev/null')) } catch {}
      let refusal
      try { spawnProtected('true') } catch (error) { refusal = error }
      for (const fd of held) closeSync(fd)
      const { code, syscall, path, message } = refusal
      console.log(code, syscall, path, message)
      spawnProtected('sh', ['-c', 'exit 7']).on('exit', (code) => console.log(code))`)
    expect(said).toMatch(
      /^EMFILE dlopen (\S+sigshield\.node) dlopen EMFILE: The sigshield addon \1 .*`ulimit -n`\)\.\n7$/,
    )
  })

  it('the permission model hides it', async () => {
    put(place)
    const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'
    const flags = [
      flag,
      '--allow-child-process',
      `--allow-fs-read=${join(folder, 'dist')}/*`,
      `--allow-fs-read=${folder}/package.json`,
    ]
    const addons = process.allowedNodeEnvironmentFlags.has('--allow-addons') ? ['--allow-addons'] : []
    expect(await outcome(code, {}, [...flags, ...addons])).toContain(
      `--allow-fs-read='${folder}/*', and --allow-addons.`,
    )
  })

  it.skipIf(libc() !== 'glibc')('in a path with a word of the loader’s: only glibc has such', async () => {
    const odd = join(folder, '$ORIGIN')
    mkdirSync(odd)
    put(place)
    for (const part of ['dist', 'prebuilds', 'package.json']) renameSync(join(folder, part), join(odd, part))
    const said = await outcome(code.replace("'./dist/index.js'", "'./$ORIGIN/dist/index.js'"))
    expect(said).toMatch(/The loader reads \$ORIGIN in it as its own word: move the package\.$/)
  })

  it('loaded by a bundler’s own require', async () => {
    put(place)
    const load = join(folder, 'dist/native/load.js')
    const source = readFileSync(load, 'utf8').replace('createRequire(import.meta.url)(file)', 'bundlers(file)')
    const bundlers =
      "const bundlers = () => { throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' }) }"
    writeFileSync(load, `${source}\n${bundlers}\n`)
    expect(await outcome()).toMatch(/The file is there: sigshield was bundled.* mark sigshield as external/)
  })

  it('this file has no place of its own, wherever the process stands', async () => {
    put(place)
    const own = join(folder, 'dist/native/place.js')
    writeFileSync(own, readFileSync(own, 'utf8').replaceAll('import.meta.url', '(void 0)'))
    const said = await outcome(`process.chdir('dist/native')\n${code}`)
    expect(said).toMatch(/^ERR_DLOPEN_FAILED The sigshield addon can't be found from \/.*: sigshield was bundled/)
  })
})

describe('it is another’s', () => {
  it('file altogether', async () => {
    put(`prebuilds/${system()}/sigshield.node`, 'no addon')
    expect(await outcome()).toMatch(
      /^ERR_DLOPEN_FAILED .*sigshield.node can't be loaded: .*\. Install the package again\.$/,
    )
  })

  const libraries = { glibc: '\0libc.so.6\0', musl: '\0libc.so\0' }
  const machine = { x64: 62, arm64: 183 }

  function elf(arch: 'x64' | 'arm64', library: string): Buffer {
    const header = Buffer.alloc(64)
    header.write('\x7fELF\x02\x01\x01', 'latin1')
    header.writeUInt16LE(machine[arch], 18)
    return Buffer.concat([header, Buffer.from(library)])
  }

  it('libc', async () => {
    const other = libc() === 'glibc' ? 'musl' : 'glibc'
    put('build/Release/sigshield.node', elf(process.arch as 'x64', libraries[other]))
    const said = await outcome()
    expect(said).toContain(`made for linux-${process.arch}-${other}, and this Node for ${system()}`)
    expect(said).toContain('a system with another libc')
    expect(said).toMatch(/Remove \S+build\/Release\/sigshield.node, which is not of the package\.$/)
  })

  it('machine', async () => {
    put(`prebuilds/${system()}/sigshield.node`, elf(process.arch === 'x64' ? 'arm64' : 'x64', libraries[libc()]))
    expect(await outcome()).toMatch(/a system with another machine. Install the package again\.$/)
  })

  it('system', async () => {
    const header = Buffer.alloc(64)
    header.writeUInt32LE(0xfeedfacf)
    header.writeUInt32LE(0x0100000c, 4)
    put('source/build/Release/sigshield.node', header)
    const said = await outcome()
    expect(said).toContain(
      `made for darwin-arm64, and this Node for ${system()}: node_modules came from another system.`,
    )
  })

  it('version of it', async () => {
    put('source/build/Release/sigshield.node')
    const surface = join(folder, 'dist/native/surface.js')
    writeFileSync(surface, "export const missingName = () => 'newest'\n")
    expect(await outcome()).toMatch(
      /^ERR_DLOPEN_FAILED .*source\/build\/Release\/sigshield.node was built from another version of the library: they differ at 'newest'. Build it: /,
    )
    put('build/Release/sigshield.node')
    const environment = { SIGSHIELD_PREBUILD: folder }
    expect(await outcome(code, environment)).toMatch(/ Build what SIGSHIELD_PREBUILD names again, or unset it\.$/)
  })

  it.skipIf(process.getuid?.() !== 0)(
    "user's: only root can be kept from a file that it owns by another user",
    async () => {
      const place = `prebuilds/${system()}/sigshield.node`
      put(place)
      chmodSync(folder, 0o755)
      // Not at its start: this Node itself may stand where nobody else may look.
      const asAnother = `process.setuid(65534)\n${code}`
      for (const forbidden of [place, dirname(place)]) {
        chmodSync(join(folder, forbidden), 0o600)
        expect(await outcome(asAnother)).toMatch(
          /^ERR_DLOPEN_FAILED .*sigshield.node can't be loaded.* may not read it: /,
        )
        chmodSync(join(folder, forbidden), 0o755)
      }
      expect(await outcome(asAnother)).toBe('7')
    },
  )
})

it.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)(
  'from where no code may be mapped: only root can mount such a place',
  async () => {
    put('build/Release/sigshield.node')
    const mount = 'mount -t tmpfs -o noexec none "$0" && cp "$1" "$0" && shift && exec "$@"'
    const place = join(folder, 'build/Release')
    const run = ['--mount', 'sh', '-c', mount, place, built, process.execPath, '--input-type=module', '-e', code]
    const env = { ...process.env, SIGSHIELD_PREBUILD: undefined }
    const said = execFileSync('unshare', run, { cwd: folder, env, encoding: 'utf8' })
    expect(said).toMatch(
      /^ERR_DLOPEN_FAILED .*\. Its file system is mounted noexec \(`findmnt --target '.*'`\), a policy/,
    )
  },
)

it('the libc is known by the program, and by its report', async () => {
  put('build/Release/sigshield.node')
  const said = await outcome(`
    import fs, { closeSync } from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    import { libc } from './dist/native/system.js'
    const first = libc()
    fs.openSync = () => { throw new Error('unreadable') }
    syncBuiltinESMExports()
    console.log(first, libc())`)
  expect(said).toBe(`${libc()} ${libc()}`)
})
