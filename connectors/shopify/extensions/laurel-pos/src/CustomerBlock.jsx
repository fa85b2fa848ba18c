/** Beside a customer: their points, and the way to what these buy. */

import '@shopify/ui-extensions/preact';
import {render} from 'preact';
import {useState} from 'preact/hooks';

import {useReading} from '../../shared/use.js';
import {said} from '../../shared/words.js';
import {till} from './till.js';

export default () => {
  render(<CustomerBlock />, document.body);
};

function CustomerBlock() {
  const {i18n, action, customer} = shopify;
  const [laurel] = useState(() => till(shopify));
  const reading = useReading(() => laurel.byCustomer(customer.id));
  const nobody = reading.problem?.code === 'not_a_member';
  return (
    <s-pos-block heading={i18n.translate('title')}>
      {reading.state === 'loading' && <s-text color="subdued">{i18n.translate('loading')}</s-text>}
      {reading.state === 'failed' && <s-text>{nobody ? i18n.translate('no_member') : said(i18n, reading.problem)}</s-text>}
      {reading.state === 'ready' && (
        <s-text type="strong">
          {reading.value.member.balance.available_text} · {reading.value.member.tier.name}
        </s-text>
      )}
      {reading.state === 'failed' && !nobody ? (
        <s-button onClick={reading.again}>{i18n.translate('again')}</s-button>
      ) : (
        <s-button onClick={() => action.presentModal()}>{i18n.translate('rewards')}</s-button>
      )}
    </s-pos-block>
  );
}
