/** After the order: the balance, and for whoever ordered without an account, how its points become theirs. */

import '@shopify/ui-extensions/preact';
import {render} from 'preact';
import {useState} from 'preact/hooks';

import {Balance, Failed, Waiting} from '../../shared/parts.jsx';
import {shopper} from '../../shared/shopper.js';
import {useReading} from '../../shared/use.js';

export default () => {
  render(<ThankYou />, document.body);
};

function ThankYou() {
  const {i18n} = shopify;
  const [laurel] = useState(() => shopper(shopify));
  const reading = useReading(() => laurel.me());
  return (
    <s-section heading={i18n.translate('title')}>
      {reading.state === 'loading' && <Waiting />}
      {reading.state === 'failed' && <Failed i18n={i18n} reading={reading} />}
      {reading.state === 'ready' && (
        <s-stack gap="base">
          <s-text>{i18n.translate(reading.value.member ? 'this_order_later' : 'guest_order')}</s-text>
          {reading.value.member && <Balance i18n={i18n} me={reading.value} />}
        </s-stack>
      )}
    </s-section>
  );
}
