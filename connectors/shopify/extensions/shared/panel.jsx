/** A member's points, what they buy and what was bought: the same in the account and in the checkout. */

import {useState} from 'preact/hooks';

import {Balance, Before, Codes, Failed, Rewards, Stranger, Trouble} from './parts.jsx';
import {readAll, shopper} from './shopper.js';
import {useGlance, useJoin, useReading, useWish} from './use.js';

/** `most` rewards are shown; `can(reward)`: whether it is one for this place; `onUse(redemption)`: use a code here. */
export function Panel({shopify, most = Infinity, can = () => true, onUse = null, below = null}) {
  const {i18n} = shopify;
  const [laurel] = useState(() => shopper(shopify));
  const seen = useGlance(laurel.glance);
  const reading = useReading(() => readAll(laurel));
  const wish = useWish({...laurel, done: reading.again});
  const joining = useJoin({...laurel, again: reading.again});

  if (reading.state !== 'ready') return <Before i18n={i18n} reading={reading} seen={seen} />;
  const {me, rewards, redemptions} = reading.value;
  if (!me.member) return <Stranger i18n={i18n} me={me} joining={joining} />;
  return (
    <s-stack gap="large">
      {reading.problem && <Failed i18n={i18n} reading={reading} />}
      <Balance i18n={i18n} me={me} />
      <Trouble i18n={i18n} wish={wish} />
      <Codes i18n={i18n} me={me} redemptions={redemptions} wish={wish} onUse={onUse} />
      <Rewards i18n={i18n} me={me} rewards={rewards.filter(can)} wish={wish} most={most} />
      {below}
    </s-stack>
  );
}
