// Imported before everything else in a process that the bench starts. The bench holds the other end of its standard
// input, which closes however the bench ends: nothing that it has started stays behind.
process.stdin.resume().once('close', () => process.exit());
