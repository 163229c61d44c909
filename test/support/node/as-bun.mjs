// Imported first by a Node that is to take itself for Bun.
Object.defineProperty(process.versions, 'bun', { value: '1.4.5', enumerable: true })
