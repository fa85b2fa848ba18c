/** The tile's window: the cart's customer, or whoever shows a card, scanned or typed. */

import '@shopify/ui-extensions/preact';
import {render} from 'preact';
import {useEffect, useState} from 'preact/hooks';

import {Member} from './Member.jsx';

export default () => {
  render(<Modal />, document.body);
};

function Modal() {
  const {i18n, cart} = shopify;
  const [card, setCard] = useState(null);
  const customer = cart.current.value.customer?.id ?? null;
  const [other, setOther] = useState(false);
  const found = card !== null || (customer !== null && !other);

  return (
    <s-page heading={i18n.translate('title')}>
      <s-scroll-box padding="base">
        {found ? (
          <s-stack gap="large">
            {card !== null ? (
              <Member key={card} shopify={shopify} find={(laurel) => laurel.byCard(card)} />
            ) : (
              <Member
                shopify={shopify}
                find={(laurel) => laurel.byCustomer(customer)}
                join={(laurel) => laurel.join(customer)}
              />
            )}
            <s-button
              onClick={() => {
                setCard(null);
                setOther(true);
              }}
            >
              {i18n.translate('another_card')}
            </s-button>
          </s-stack>
        ) : (
          <Ask onCard={setCard} />
        )}
      </s-scroll-box>
    </s-page>
  );
}

function Ask({onCard}) {
  const {i18n, scanner} = shopify;
  const [typed, setTyped] = useState('');
  const camera = scanner.sources.current.value.includes('camera');
  useEffect(() => {
    const seen = ({data}) => data && onCard(data);
    return scanner.scannerData.current.subscribe?.(seen);
  }, []);
  return (
    <s-stack gap="base">
      <s-text>{i18n.translate('scan_text')}</s-text>
      {camera && <s-button onClick={() => scanner.showCameraScanner()}>{i18n.translate('scan')}</s-button>}
      <s-text-field
        label={i18n.translate('card')}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <s-button variant="primary" disabled={typed.trim() === ''} onClick={() => onCard(typed.trim())}>
        {i18n.translate('find')}
      </s-button>
    </s-stack>
  );
}
