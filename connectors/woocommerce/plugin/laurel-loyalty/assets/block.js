// The block “Laurel rewards” in the editor: a place, since what a shopper sees there is the shopper's own.
( function ( wp ) {
	'use strict';

	const { createElement: el } = wp.element;
	wp.blocks.registerBlockType( 'laurel/rewards', {
		edit() {
			return el( 'div', wp.blockEditor.useBlockProps(),
				el( 'div', { style: { border: '1px dashed currentColor', padding: '2rem', textAlign: 'center' } },
					wp.i18n.__( 'The shopper’s points and rewards appear here.', 'laurel-loyalty' ) ) );
		},
		save() {
			return null;
		},
	} );
}( window.wp ) );
