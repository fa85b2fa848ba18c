/** In the checkout: points become a code, and the code is put in where Shopify lets us. */

import '@shopify/ui-extensions/preact';
import {render} from 'preact';
import {useState} from 'preact/hooks';

import {Panel} from '../../shared/panel.jsx';

export default () => {
  render(<Checkout />, document.body);
};

function Checkout() {
  const {i18n} = shopify;
  const [told, setTold] = useState(null);
  const may = shopify.instructions.value.discounts.canUpdateDiscountCodes;

  async function use(redemption) {
    const isCard = redemption.reward.kind === 'gift_card';
    const result = isCard
      ? await shopify.applyGiftCardChange({type: 'addGiftCard', code: redemption.code})
      : await shopify.applyDiscountCodeChange({type: 'addDiscountCode', code: redemption.code});
    setTold(
      result.type === 'error'
        ? {tone: 'warning', text: result.message}
        : {tone: 'success', text: i18n.translate('in_use', {reward: redemption.reward.title})},
    );
  }

  return (
    <s-section heading={i18n.translate('title')}>
      <s-stack gap="base">
        {told && <s-banner tone={told.tone}>{told.text}</s-banner>}
        <Panel shopify={shopify} most={3} can={(reward) => reward.has_code} onUse={may ? use : null} />
      </s-stack>
    </s-section>
  );
}
