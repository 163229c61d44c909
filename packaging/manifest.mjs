/** The published package.json: what of the repository's concerns a user, and the ways of older resolvers. */

/** @typedef {Record<string, { types: string, default: string }>} Exports */

/** Where an entry's code is: packaging/bundle.mjs. */
export const bundled = (/** @type {string} */ file) => file.replace('./dist/', './dist/bundled/')

/** Where CommonJS finds an entry, and its types: the same module, loaded by require(). */
export const commonjs = (/** @type {string} */ file) => file.replace('./dist/', './dist/commonjs/')

const kept = ['name', 'version', 'description', 'keywords', 'license', 'author', 'homepage', 'bugs', 'repository']
const keptToo = ['type', 'engines', 'os', 'bin']

/** The addresses of the repository in which a workflow runs: npm proves by them where the package was made. */
function addresses() {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name } = process.env
  if (!server || !name) return {}
  const url = `${server}/${name}`
  return {
    homepage: `${url}#readme`,
    bugs: { url: `${url}/issues` },
    repository: { type: 'git', url: `git+${url}.git` },
  }
}

/** @param {Record<string, any>} manifest - The repository's. */
export function published(manifest) {
  const exports = /** @type {[string, Exports[string]][]} */ (Object.entries(manifest.exports))
  const both = exports.map(([entry, file]) => [
    entry,
    {
      import: { types: file.types, default: bundled(file.default) },
      require: { types: commonjs(file.types), default: commonjs(file.default) },
    },
  ])
  const own = manifest.exports['.']
  const subpaths = exports.filter(([entry]) => entry !== '.')
  const typesOf = subpaths.map(([entry, file]) => [entry.slice(2), [commonjs(file.types)]])
  return {
    ...Object.fromEntries([...kept, ...keptToo].filter((key) => key in manifest).map((key) => [key, manifest[key]])),
    ...addresses(),
    main: commonjs(own.default),
    types: commonjs(own.types),
    // For resolvers that know no exports.
    typesVersions: { '*': Object.fromEntries(typesOf) },
    exports: { ...Object.fromEntries(both), './package.json': './package.json' },
    // In an archive nothing can be loaded, or executed.
    preferUnplugged: true,
  }
}
