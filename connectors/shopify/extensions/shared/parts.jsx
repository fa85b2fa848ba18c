/** What the account and the checkout show, in the elements that both of them have. */

import {fitting, typedIn} from './steps.js';
import {counted, day, money, said} from './words.js';

export function Waiting() {
  return (
    <s-stack gap="base">
      <s-skeleton-paragraph />
      <s-skeleton-paragraph />
    </s-stack>
  );
}

/** While the server has not answered, or does not: what stands at the customer, if anything does. */
export function Before({i18n, reading, seen}) {
  if (reading.state === 'loading') return seen ? <Glance i18n={i18n} seen={seen} /> : <Waiting />;
  return (
    <s-stack gap="base">
      {seen && <Glance i18n={i18n} seen={seen} />}
      <Failed i18n={i18n} reading={reading} />
    </s-stack>
  );
}

function Glance({i18n, seen}) {
  return (
    <s-stack gap="small-200">
      <s-stack direction="inline" gap="base" alignItems="center">
        <s-heading>{counted(i18n, seen.unit, seen.points)}</s-heading>
        {seen.tier && <s-badge>{seen.tier}</s-badge>}
      </s-stack>
      <s-text color="subdued">{i18n.translate('available')}</s-text>
      {seen.pending > 0 && <s-text>{i18n.translate('pending', {points: counted(i18n, seen.unit, seen.pending)})}</s-text>}
    </s-stack>
  );
}

export function Failed({i18n, reading}) {
  return (
    <s-banner tone="warning">
      <s-stack gap="base">
        <s-text>{said(i18n, reading.problem)}</s-text>
        <s-button onClick={reading.again}>{i18n.translate('again')}</s-button>
      </s-stack>
    </s-banner>
  );
}

/** Nobody is signed in, or the customer is no member: what there is to gain, and how. */
export function Stranger({i18n, me, joining}) {
  return (
    <s-stack gap="base">
      {joining.problem && <s-banner tone="warning">{said(i18n, joining.problem)}</s-banner>}
      <s-text>{me.program.earn_sentence ?? i18n.translate('join_text')}</s-text>
      {me.signed_in ? (
        <s-button variant="primary" loading={joining.busy} onClick={joining.join}>
          {i18n.translate('join')}
        </s-button>
      ) : (
        <s-text color="subdued">{i18n.translate('sign_in')}</s-text>
      )}
    </s-stack>
  );
}

export function Balance({i18n, me}) {
  const {balance, tier, next_tier: next, stopped} = me.member;
  const zone = me.program.timezone;
  return (
    <s-stack gap="small-200">
      {stopped && (
        <s-banner tone="warning" heading={stopped.title}>
          {stopped.sentence}
        </s-banner>
      )}
      <s-stack direction="inline" gap="base" alignItems="center">
        <s-heading>{balance.available_text}</s-heading>
        <s-badge>{tier.name}</s-badge>
      </s-stack>
      <s-text color="subdued">{i18n.translate('available')}</s-text>
      {balance.pending > 0 && (
        <s-text>
          {balance.pending_next
            ? i18n.translate('pending_on', {
                points: balance.pending_text,
                first: balance.pending_next.text,
                date: day(i18n, balance.pending_next.at, zone),
              })
            : i18n.translate('pending', {points: balance.pending_text})}
        </s-text>
      )}
      {balance.expiring && (
        <s-text>
          {i18n.translate('expiring', {points: balance.expiring.text, date: day(i18n, balance.expiring.at, zone)})}
        </s-text>
      )}
      {balance.deficit > 0 && <s-text>{i18n.translate('deficit', {points: balance.deficit_text})}</s-text>}
      {next && <Next i18n={i18n} next={next} />}
    </s-stack>
  );
}

function Next({i18n, next}) {
  const sentence =
    next.sentence ?? (next.missing && i18n.translate('next', {amount: money(i18n, next.missing), tier: next.name}));
  const percent =
    next.progress_percent ??
    (next.threshold?.minor ? Math.min(100, Math.floor((100 * next.spent.minor) / next.threshold.minor)) : null);
  if (!sentence) return null;
  return (
    <s-stack gap="small-300">
      {percent !== null && <s-progress value={percent} max={100} accessibilityLabel={sentence} />}
      <s-text color="subdued">{sentence}</s-text>
    </s-stack>
  );
}

/** Rewards that can be had first, then what is missing. `most`: of a block, which has a page with all of them. */
export function Rewards({i18n, me, rewards, wish, most = Infinity}) {
  if (rewards.length === 0) return <s-text color="subdued">{i18n.translate('no_rewards')}</s-text>;
  const sorted = [...rewards].sort((one, other) => rank(one) - rank(other));
  return (
    <s-stack gap="base">
      {sorted.slice(0, most).map((reward) => (
        <Reward key={reward.key} i18n={i18n} me={me} reward={reward} wish={wish} />
      ))}
    </s-stack>
  );
}

const rank = (reward) => ['ready', 'short', 'locked'].indexOf(reward.state);

function Reward({i18n, me, reward, wish}) {
  if (wish.wish?.reward.key === reward.key) return <Asking i18n={i18n} me={me} wish={wish} />;
  const {unit} = me.program;
  return (
    <s-stack direction="inline" gap="base" justifyContent="space-between" alignItems="center">
      <s-stack gap="none">
        <s-text type="strong">{reward.title}</s-text>
        <s-text color="subdued">
          {reward.cost_text}
          {reward.minimum_spend &&
            ` · ${i18n.translate('from_spend', {amount: money(i18n, reward.minimum_spend)})}`}
        </s-text>
        {reward.state === 'locked' && <s-text color="subdued">{reward.reason}</s-text>}
      </s-stack>
      {reward.state === 'ready' && !me.member.stopped && (
        <s-button
          disabled={wish.busy}
          accessibilityLabel={i18n.translate('get_named', {reward: reward.title})}
          onClick={() => wish.choose(reward)}
        >
          {i18n.translate('get')}
        </s-button>
      )}
      {reward.state === 'short' && (
        <s-text>{i18n.translate('to_go', {points: counted(i18n, unit, reward.missing)})}</s-text>
      )}
    </s-stack>
  );
}

/** Shown before it is done: what it costs, and what is left then. */
function Asking({i18n, me, wish}) {
  const {reward, points} = wish.wish;
  const {unit} = me.program;
  const {available} = me.member.balance;
  const cost = points ?? reward.cost;
  return (
    <s-stack gap="base">
      <s-text type="strong">{reward.title}</s-text>
      {reward.steps && (
        <s-number-field
          label={i18n.translate('how_many')}
          value={String(points)}
          min={reward.steps.minimum}
          max={reward.steps.maximum ?? available}
          step={reward.steps.points}
          disabled={wish.unsure}
          onChange={(event) => wish.setPoints(fitting(reward.steps, available, typedIn(event)))}
        />
      )}
      <s-text>{i18n.translate('left', {points: counted(i18n, unit, available - cost)})}</s-text>
      <s-stack direction="inline" gap="base">
        <s-button variant="primary" loading={wish.busy} disabled={cost > available} onClick={wish.buy}>
          {wish.busy ? i18n.translate('making') : i18n.translate('use', {points: counted(i18n, unit, cost)})}
        </s-button>
        <s-button disabled={wish.busy} onClick={wish.back}>
          {i18n.translate('not_now')}
        </s-button>
      </s-stack>
    </s-stack>
  );
}

export function Trouble({i18n, wish}) {
  if (!wish.problem) return null;
  return (
    <s-banner tone="warning" heading={wish.problem.title ?? ''}>
      {said(i18n, wish.problem)}
    </s-banner>
  );
}

/** Codes that can be used, or come by themselves. `onUse`: where a code can be used on the spot. */
export function Codes({i18n, me, redemptions, wish, onUse = null}) {
  const open = redemptions.filter((one) => ['requested', 'issued', 'cancelling'].includes(one.state));
  if (open.length === 0) return null;
  return (
    <s-stack gap="base">
      <s-heading>{i18n.translate('codes')}</s-heading>
      {open.map((one) => (
        <Code key={one.id} i18n={i18n} me={me} one={one} wish={wish} onUse={onUse} />
      ))}
    </s-stack>
  );
}

function Code({i18n, me, one, wish, onUse}) {
  const place = `laurel-${one.id}`;
  return (
    <s-stack gap="small-200">
      <s-text type="strong">{one.reward.title}</s-text>
      {one.left_text && <s-text>{one.left_text}</s-text>}
      {one.state === 'requested' && <s-text>{one.detail ?? i18n.translate('being_made')}</s-text>}
      {one.state === 'cancelling' && <s-text>{i18n.translate('cancelling')}</s-text>}
      {one.state === 'issued' && (
        <s-stack gap="small-200">
          {one.code && (
            <s-stack direction="inline" gap="base" alignItems="center">
              <s-text type="strong">{one.code}</s-text>
              <s-clipboard-item id={place} text={one.code} />
              {onUse ? (
                <s-button onClick={() => onUse(one)}>{i18n.translate('use_now')}</s-button>
              ) : (
                <s-button commandFor={place} command="--copy">
                  {i18n.translate('copy')}
                </s-button>
              )}
            </s-stack>
          )}
          <s-text color="subdued">
            {i18n.translate('use_by', {date: day(i18n, one.expires_at, me.program.timezone)})}
          </s-text>
          {one.back > 0 && (
            <s-button
              disabled={wish.busy}
              accessibilityLabel={i18n.translate('give_back_named', {reward: one.reward.title})}
              onClick={() => wish.cancel(one)}
            >
              {i18n.translate('give_back', {points: counted(i18n, me.program.unit, one.back)})}
            </s-button>
          )}
        </s-stack>
      )}
    </s-stack>
  );
}
