/** Packages of any suite and architecture of Debian, of which nothing is installed here. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { cache, output, run } from './machine.mjs'

const mirror = process.env.DEBIAN_MIRROR || 'http://deb.debian.org/debian'
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** Suites name packages that their mirrors no longer have. */
export class Gone extends Error {}

export class Suite {
  #folder
  #options

  constructor(/** @type {string} */ name, /** @type {string} */ architecture) {
    this.#folder = join(cache, `debian-${name}-${architecture}`)
    const folders = ['etc/apt/preferences.d', 'etc/apt/apt.conf.d', 'var/lib/apt/lists/partial', 'var/lib/dpkg']
    for (const folder of [...folders, 'var/cache/apt/archives/partial', 'deb']) {
      mkdirSync(join(this.#folder, folder), { recursive: true })
    }
    writeFileSync(join(this.#folder, 'var/lib/dpkg/status'), '')
    const source = `deb [signed-by=${keyring}] ${mirror}${name.endsWith('-security') ? '-security' : ''} ${name} main`
    writeFileSync(join(this.#folder, 'etc/apt/sources.list'), `${source}\n`)
    this.#options = Object.entries({
      Dir: this.#folder,
      'Dir::Bin::methods': '/usr/lib/apt/methods',
      'APT::Architecture': architecture,
      'APT::Architectures': architecture,
      'APT::Sandbox::User': 'root',
    }).flatMap(([name, value]) => ['-o', `${name}=${value}`])
    run('apt-get', ['-qq', ...this.#options, 'update'])
  }

  /** The packages whose names match. */
  names(/** @type {string} */ pattern) {
    const lines = output('apt-cache', [...this.#options, 'search', '--names-only', pattern])
      .trim()
      .split('\n')
    return lines.map((line) => line.split(' ')[0] ?? '').filter((name) => name !== '')
  }

  /** Unpacks packages, and all that they depend on, into one folder. Nothing is configured: their scripts are of another system. */
  extract(/** @type {readonly string[]} */ names, /** @type {string} */ folder) {
    const simulation = output('apt-get', [
      '-qq',
      '--no-install-recommends',
      ...this.#options,
      '-s',
      'install',
      ...names,
    ])
    const all = [...simulation.matchAll(/^Inst (\S+)/gm)].map(([, name]) => String(name))
    const download = join(this.#folder, 'deb', 'together')
    rmSync(download, { recursive: true, force: true })
    mkdirSync(download, { recursive: true })
    run('apt-get', ['-qq', ...this.#options, 'download', ...all], { cwd: download, stdio: ['ignore', 2, 2] })
    mkdirSync(folder, { recursive: true })
    for (const file of readdirSync(download)) run('dpkg-deb', ['-x', join(download, file), folder])
    rmSync(download, { recursive: true })
  }

  /** The kernel of a package: its modules are large, and stay in it. */
  kernel(/** @type {string} */ name) {
    // Since Linux 6.19 it stands in a package of its own.
    const binary = name.replace('linux-image-', 'linux-binary-')
    const isApart = this.names(`^${binary.replaceAll(/[.+]/g, '[$&]')}$`).length > 0
    const folder = this.unpacked(isApart ? binary : name, '*/vmlinuz*')
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    return join(folder, String(files.find((file) => basename(file).startsWith('vmlinuz'))))
  }

  #download(/** @type {string} */ name, /** @type {string} */ folder) {
    const options = { cwd: folder, encoding: /** @type {const} */ ('utf8') }
    const { status, stderr } = spawnSync('apt-get', ['-qq', ...this.#options, 'download', name], options)
    if (status === 0) return
    if (/ 404 /.test(stderr)) throw new Gone(stderr.trim())
    throw new Error(`apt-get download ${name}: ${stderr}`)
  }

  /** The folder in which the package is unpacked, or what the pattern names of it. */
  unpacked(/** @type {string} */ name, part = '*') {
    const folder = join(this.#folder, 'unpacked', name)
    if (existsSync(folder)) return folder
    const download = join(this.#folder, 'deb', name)
    rmSync(download, { recursive: true, force: true })
    mkdirSync(join(download, 'files'), { recursive: true })
    this.#download(name, download)
    const [file = ''] = readdirSync(download).filter((entry) => entry.endsWith('.deb'))
    const unpack = 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --wildcards "$3"'
    run('sh', ['-c', unpack, '-', join(download, file), join(download, 'files'), part])
    mkdirSync(join(this.#folder, 'unpacked'), { recursive: true })
    renameSync(join(download, 'files'), folder)
    rmSync(download, { recursive: true })
    return folder
  }
}
