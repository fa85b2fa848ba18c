/** After the order: the balance, and for whoever ordered without an account, how its points become theirs. */

import '@shopify/ui-extensions/preact';
import {render} from 'preact';
import {useState} from 'preact/hooks';

import {Balance, Before} from '../../shared/parts.jsx';
import {shopper} from '../../shared/shopper.js';
import {useGlance, useReading} from '../../shared/use.js';

export default () => {
  render(<ThankYou />, document.body);
};

function ThankYou() {
  const {i18n} = shopify;
  const [laurel] = useState(() => shopper(shopify));
  const seen = useGlance(laurel.glance);
  const reading = useReading(() => laurel.me());
  return (
    <s-section heading={i18n.translate('title')}>
      {reading.state !== 'ready' && <Before i18n={i18n} reading={reading} seen={seen} />}
      {reading.state === 'ready' && (
        <s-stack gap="base">
          <s-text>{i18n.translate(reading.value.member ? 'this_order_later' : 'guest_order')}</s-text>
          {reading.value.member && <Balance i18n={i18n} me={reading.value} />}
        </s-stack>
      )}
    </s-section>
  );
}
