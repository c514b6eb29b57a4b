/** Ends the Azurite that start.ts started; all it held was in memory. */
export default async function stopAzurite(): Promise<void> {
  const pid = Number(process.env.TEST_AZURITE_PID);
  if (pid > 0) process.kill(pid, 'SIGKILL');
}
