process.send?.('ready', () => process.disconnect?.())
