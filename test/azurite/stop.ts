/** Ends the Azurite that start.ts started. SIGKILL loses nothing, because its data is in memory. */
export default async function stopAzurite(): Promise<void> {
  const pid = Number(process.env.TEST_AZURITE_PID);
  if (pid > 0) process.kill(pid, 'SIGKILL');
}
