/** A registry on the loopback: one package in the versions that it is given, and nothing else. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

const hash = (/** @type {string} */ name, /** @type {Buffer} */ bytes, /** @type {'hex' | 'base64'} */ encoding) =>
  createHash(name).update(bytes).digest(encoding)

/** No installer takes it for too young. */
const PUBLISHED = '2026-01-01T00:00:00.000Z'

const manifestOf = (/** @type {string} */ tarball) =>
  JSON.parse(execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' }))

/** The same under another version. */
export function repacked(/** @type {string} */ tarball, /** @type {string} */ version, /** @type {string} */ folder) {
  const inside = join(folder, 'package')
  rmSync(inside, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  execFileSync('tar', ['-xzf', tarball, '-C', folder])
  writeFileSync(join(inside, 'package.json'), JSON.stringify({ ...manifestOf(tarball), version }))
  const file = join(folder, `sigshield-${version}.tgz`)
  execFileSync('tar', ['-czf', file, '-C', folder, 'package'])
  return file
}

/** @param {readonly string[]} tarballs - The latest is the last. */
export async function serve(tarballs) {
  /** @type {string[]} */
  const refused = []
  const files = new Map(tarballs.map((file) => [`/sigshield/-/sigshield-${manifestOf(file).version}.tgz`, file]))
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://localhost')
    const file = files.get(pathname)
    if (pathname === '/sigshield') {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(packument()))
    } else if (file) {
      response.end(readFileSync(file))
    } else {
      // Advisories and the like are nobody's need.
      if (!pathname.startsWith('/-/')) refused.push(pathname)
      response.statusCode = 404
      response.end('{}')
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const address = `http://127.0.0.1:${port}`

  function packument() {
    const versions = [...files].map(([path, file]) => {
      const bytes = readFileSync(file)
      const dist = {
        tarball: `${address}${path}`,
        shasum: hash('sha1', bytes, 'hex'),
        integrity: `sha512-${hash('sha512', bytes, 'base64')}`,
      }
      const manifest = manifestOf(file)
      return [manifest.version, { ...manifest, dist }]
    })
    const names = versions.map(([version]) => version)
    return {
      name: 'sigshield',
      'dist-tags': { latest: names.at(-1) },
      versions: Object.fromEntries(versions),
      time: { created: PUBLISHED, modified: PUBLISHED, ...Object.fromEntries(names.map((name) => [name, PUBLISHED])) },
    }
  }

  return {
    address,
    port,
    /** What was asked for since, and is not there. */
    takeRefused: () => refused.splice(0),
    close: () => server.close(),
  }
}
