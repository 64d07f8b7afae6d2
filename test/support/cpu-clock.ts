/** CPU time of this process from now on, in ms: what a bound against attack is measured by, on a machine that does other
 * things too. */
export function startCpuClock(): () => number {
  const begin = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(begin);
    return (user + system) / 1000;
  };
}
