// Rival accounts as edits of one model, each brought to the same reference effect: the rule of
// studies/judge/calibrate.py, a scan from silence upwards and then regula falsi (Illinois).
const LEVELS = [0, 0.25, 0.5, 0.75, 1], CLOSE = 2e-3, ALMOST = 0.01;

function underAccount(setting, account, gain) {
  const values = { ...account.values };
  if (gain !== null) for (const [name, share] of Object.entries(account.gains)) values[name] = gain * share;
  return { ...setting, params: { ...setting.params, ...values } };
}

function matchedGain(engine, facts, account, params) {
  if (!Object.keys(account.gains).length || !facts.reference) return null;
  const name = facts.reference.name;
  const value = (setting) => engine.at(makeJob(facts, setting, 1e-7), [name], [24]).values[0][0];
  const effect = (change) => value(change(facts.reference.treated)) - value(change(facts.reference.control));
  const plain = (setting) => ({ ...setting, params: { ...setting.params, ...params } });
  const target = effect(plain);
  const miss = (gain) => effect((one) => underAccount(plain(one), account, gain)) / target - 1;
  const scan = LEVELS.map(miss);
  if (Math.abs(scan[4]) <= ALMOST) return 1;
  const first = scan.findIndex((one, i) => i < 4 && one < 0 && scan[i + 1] >= 0);
  if (first < 0 || !scan.every(Number.isFinite)) return NaN;
  let low = LEVELS[first], high = LEVELS[first + 1], atLow = scan[first], atHigh = scan[first + 1];
  for (let i = 0; i < 40; i++) {
    const guess = high - atHigh * (high - low) / (atHigh - atLow), found = miss(guess);
    if (Math.abs(found) <= CLOSE) return guess;
    if (found < 0) { low = guess; atLow = found; atHigh /= 2; } else { high = guess; atHigh = found; atLow /= 2; }
  }
  return NaN;
}
