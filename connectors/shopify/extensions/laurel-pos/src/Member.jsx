/** A member at the till: what they have, what it buys, and their codes, each put into the cart by one press. */

import {useRef, useState} from 'preact/hooks';

import {fitting, typedIn} from '../../shared/steps.js';
import {useReading, useWish} from '../../shared/use.js';
import {counted, said} from '../../shared/words.js';
import {customerFor, till, useInCart} from './till.js';

/** `find(till)` says who; `join(till)` makes a customer who is no member yet one. Both give what is shown. */
export function Member({shopify, find, join = null}) {
  const {i18n} = shopify;
  const [laurel] = useState(() => till(shopify));
  const joining = useRef(false);
  const known = useRef(null);
  const reading = useReading(async () => {
    const shown = await (known.current ? laurel.member(known.current) : joining.current ? join(laurel) : find(laurel));
    known.current = shown.member.number;
    return shown;
  });
  if (reading.state === 'loading') return <s-spinner accessibilityLabel={i18n.translate('loading')} />;
  if (reading.state === 'failed' && reading.problem.code === 'not_a_member' && join !== null) {
    return (
      <Nobody
        i18n={i18n}
        onJoin={() => {
          joining.current = true;
          reading.again();
        }}
      />
    );
  }
  return (
    <s-stack gap="large">
      {reading.problem && <Failed i18n={i18n} reading={reading} />}
      {reading.value && <Shown shopify={shopify} laurel={laurel} shown={reading.value} again={reading.again} />}
    </s-stack>
  );
}

function Failed({i18n, reading}) {
  return (
    <s-stack gap="base">
      <s-banner tone="warning" heading={i18n.translate('problem.title')}>
        <s-text>{said(i18n, reading.problem)}</s-text>
      </s-banner>
      <s-button onClick={reading.again}>{i18n.translate('again')}</s-button>
    </s-stack>
  );
}

function Nobody({i18n, onJoin}) {
  return (
    <s-stack gap="base">
      <s-banner tone="info" heading={i18n.translate('no_member')}>
        <s-text>{i18n.translate('no_member_text')}</s-text>
      </s-banner>
      <s-button variant="primary" onClick={onJoin}>
        {i18n.translate('join')}
      </s-button>
    </s-stack>
  );
}

function Shown({shopify, laurel, shown, again}) {
  const {i18n} = shopify;
  const {member, rewards, redemptions, program} = shown;
  const customer = customerFor(member, shopify.cart.current.value);
  const [told, setTold] = useState(null);
  const wish = useWish({
    send: (one) => laurel.send(member.number, one, customer),
    look: (one) => laurel.look(member.number, one),
    withdraw: (one) => laurel.withdraw(member.number, one),
    done: again,
  });

  async function use(redemption) {
    try {
      await useInCart(shopify, redemption.code, customer);
      shopify.toast.show(i18n.translate('in_cart', {reward: redemption.reward.title}));
      setTold(null);
    } catch {
      setTold(i18n.translate('not_in_cart', {code: redemption.code}));
    }
  }

  return (
    <s-stack gap="large">
      <s-stack gap="small">
        <s-heading>{member.name ?? i18n.translate('member', {number: member.number})}</s-heading>
        <s-text type="strong">{member.balance.available_text}</s-text>
        <s-text color="subdued">{member.tier.name}</s-text>
        {member.balance.pending > 0 && (
          <s-text color="subdued">{i18n.translate('pending', {points: member.balance.pending_text})}</s-text>
        )}
      </s-stack>
      {member.stopped && (
        <s-banner tone="warning" heading={member.stopped.title}>
          <s-text>{member.stopped.sentence}</s-text>
        </s-banner>
      )}
      {wish.problem && <s-banner tone="warning" heading={said(i18n, wish.problem)} />}
      {told && <s-banner tone="warning" heading={told} />}
      {customer === null && <s-banner tone="info" heading={i18n.translate('no_customer')} />}
      {redemptions.map((one) => (
        <Code key={one.id} i18n={i18n} one={one} wish={wish} onUse={() => use(one)} />
      ))}
      {rewards.length === 0 && <s-text color="subdued">{i18n.translate('no_rewards')}</s-text>}
      {rewards.map((reward) => (
        <Reward
          key={reward.key}
          i18n={i18n}
          reward={reward}
          member={member}
          unit={program.unit}
          wish={wish}
          may={customer !== null}
        />
      ))}
    </s-stack>
  );
}

function Code({i18n, one, wish, onUse}) {
  return (
    <s-stack gap="small">
      <s-text type="strong">{one.reward.title}</s-text>
      <s-text color="subdued">
        {one.code ?? i18n.translate(one.state === 'cancelling' ? 'cancelling' : 'being_made')}
      </s-text>
      {one.state === 'issued' && one.code && (
        <s-button variant="primary" onClick={onUse}>
          {i18n.translate('use_now')}
        </s-button>
      )}
      {one.state === 'issued' && one.back > 0 && (
        <s-button disabled={wish.busy} onClick={() => wish.cancel(one)}>
          {i18n.translate('give_back')}
        </s-button>
      )}
    </s-stack>
  );
}

function Reward({i18n, reward, member, unit, wish, may}) {
  if (wish.wish?.reward.key === reward.key) return <Asking i18n={i18n} member={member} unit={unit} wish={wish} />;
  const note = {
    ready: reward.cost_text,
    short: i18n.translate('to_go', {points: counted(i18n, unit, reward.missing)}),
    locked: reward.reason,
  }[reward.state];
  return (
    <s-stack gap="small">
      <s-text type="strong">{reward.title}</s-text>
      <s-text color="subdued">{note}</s-text>
      {reward.state === 'ready' && may && !member.stopped && (
        <s-button disabled={wish.busy} onClick={() => wish.choose(reward)}>
          {i18n.translate('get')}
        </s-button>
      )}
    </s-stack>
  );
}

/** Shown before it is done, so that the member can say no. */
function Asking({i18n, member, unit, wish}) {
  const {reward, points} = wish.wish;
  const {available} = member.balance;
  const cost = points ?? reward.cost;
  const amount = (number) => counted(i18n, unit, number);
  return (
    <s-stack gap="small">
      <s-text type="strong">{reward.title}</s-text>
      {reward.steps && (
        <s-number-field
          label={i18n.translate('how_many')}
          value={String(points)}
          disabled={wish.unsure}
          onChange={(event) => wish.setPoints(fitting(reward.steps, available, typedIn(event)))}
        />
      )}
      <s-text>{i18n.translate('left', {points: amount(available - cost)})}</s-text>
      <s-button variant="primary" loading={wish.busy} disabled={cost > available} onClick={wish.buy}>
        {wish.busy ? i18n.translate('making') : i18n.translate('use', {points: amount(cost)})}
      </s-button>
      <s-button disabled={wish.busy} onClick={wish.back}>
        {i18n.translate('not_now')}
      </s-button>
    </s-stack>
  );
}
