// Says that it runs, and stays.
process.send?.('running')
setInterval(() => {}, 1000)
