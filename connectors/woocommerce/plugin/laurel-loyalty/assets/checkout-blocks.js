// Our places in the cart and checkout blocks. What is in them is filled by shop.js, as everywhere else.
( function ( wp, wc ) {
	'use strict';

	const blocks = wc && wc.blocksCheckout;
	if ( ! blocks || ! blocks.ExperimentalOrderMeta || ! wp.plugins ) {
		return;
	}
	const { createElement: el, useEffect } = wp.element;

	function Places( { extensions } ) {
		const told = ( extensions || {} )[ 'laurel-loyalty' ] || {};
		useEffect( () => {
			if ( window.laurelShop ) {
				window.laurelShop.scan();
			}
		}, [ told.wish, told.codes ] );
		return el( 'div', { className: 'wc-block-components-totals-wrapper laurel-blocks' },
			el( 'p', { className: 'laurel-earn', 'data-laurel': 'earn', 'data-kind': 'cart', 'data-wish': told.wish || '', 'data-codes': told.codes || '', 'data-alone': told.alone || '', 'aria-live': 'polite' } ),
			el( Rewards, {} ) );
	}

	/** Filled from outside: React must never touch what is inside. */
	const Rewards = wp.element.memo( () => el( 'div', { className: 'laurel-redeem', 'data-laurel': 'redeem' } ), () => true );

	const render = () => el( blocks.ExperimentalOrderMeta, {}, el( Places, {} ) );
	[ 'woocommerce-checkout' ].forEach( ( scope ) => wp.plugins.registerPlugin( 'laurel-loyalty', { render, scope } ) );
}( window.wp || {}, window.wc || {} ) );
