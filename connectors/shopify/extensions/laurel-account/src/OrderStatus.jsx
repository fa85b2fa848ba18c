/** On an order's page: what this order brought, as the member's history tells it, and the balance. */

import '@shopify/ui-extensions/preact';
import {render} from 'preact';
import {useState} from 'preact/hooks';

import {Balance, Before, Stranger} from '../../shared/parts.jsx';
import {shopper} from '../../shared/shopper.js';
import {useGlance, useJoin, useReading} from '../../shared/use.js';

export default () => {
  render(<OrderStatus />, document.body);
};

function OrderStatus() {
  const {i18n} = shopify;
  const [laurel] = useState(() => shopper(shopify));
  const seen = useGlance(laurel.glance);
  const reading = useReading(async () => {
    const me = await laurel.me();
    return {me, items: me.member ? (await laurel.history()).items : []};
  });
  const joining = useJoin({...laurel, again: reading.again});
  return (
    <s-section heading={i18n.translate('title')}>
      {reading.state !== 'ready' && <Before i18n={i18n} reading={reading} seen={seen} />}
      {reading.state === 'ready' && <Shown i18n={i18n} {...reading.value} joining={joining} />}
    </s-section>
  );
}

function Shown({i18n, me, items, joining}) {
  if (!me.member) return <Stranger i18n={i18n} me={me} joining={joining} />;
  const item = find(items, shopify.order.value?.name);
  return (
    <s-stack gap="base">
      {item ? (
        <s-stack gap="none">
          <s-text type="strong">{i18n.translate('this_order', {points: item.points_text})}</s-text>
          {item.sentence && <s-text color="subdued">{item.sentence}</s-text>}
        </s-stack>
      ) : (
        <s-text>{i18n.translate('this_order_later')}</s-text>
      )}
      <Balance i18n={i18n} me={me} />
    </s-stack>
  );
}

/** The history's item of the order "#1042", and not of "#10421". */
export function find(items, name) {
  if (!name) return null;
  return items.find(({title}) => title?.split(/\s+/).includes(name)) ?? null;
}
