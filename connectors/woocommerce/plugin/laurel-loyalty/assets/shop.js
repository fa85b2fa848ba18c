// Fills the places that the page left for Laurel, after everything else: nothing on the page waits for it, and without
// an answer the page is as if it were not there. What the server answers is text; none of it is read as markup.
( function () {
	'use strict';

	const config = window.laurelLoyalty;
	if ( ! config || ! config.server || window.laurelShop ) {
		return;
	}
	const api = config.server + '/storefront/v1/';
	const words = config.words;
	const READ_MS = 8000;
	const WRITE_MS = 20000;
	const KEEP_MS = 5 * 60 * 1000; // how long an answer about a basket is good
	const WAITS_S = [ 1, 2, 3, 5, 8, 10, 10, 10 ];
	const SETTLED_MS = 200; // the options block says that the number changed some frames before it writes it
	const QUANTITY = 'form.cart input.qty, .wp-block-add-to-cart-with-options input.qty';
	const AT_ONCE = [ 'amount', 'percent', 'free_shipping', 'product' ]; // rewards that are a code for this order

	// --- Who is signed in ---------------------------------------------------------------------------------------

	let token = null; // of somebody; null: nobody, as far as we know
	let ends = 0;
	let asking = null;

	/** The shopper's token, renewed before it ends; null for a guest. Asked for once, however many want it. */
	function getToken( again ) {
		if ( ! config.signedIn ) {
			return Promise.resolve( null );
		}
		if ( token && ! again && Date.now() < ends - 30000 ) {
			return Promise.resolve( token );
		}
		asking = asking || askForToken().finally( () => {
			asking = null;
		} );
		return asking;
	}

	async function askForToken() {
		let answer = await withNonce( config.nonce );
		if ( ! answer || answer.status === 401 || answer.status === 403 ) {
			// The page is older than its nonce, or was kept by a cache: WordPress gives a new one to whoever is signed in.
			const fresh = await ask( config.ajax + '?action=rest-nonce', { cache: 'no-store', credentials: 'same-origin' } );
			const nonce = fresh && fresh.ok ? ( await fresh.text() ).trim() : '';
			answer = /^[0-9a-f]{6,}$/.test( nonce ) ? await withNonce( nonce ) : null;
			config.nonce = answer && answer.ok ? nonce : config.nonce;
		}
		const told = answer && answer.ok ? await json( answer ) : null;
		token = told && typeof told.token === 'string' ? told.token : null;
		ends = token ? Date.now() + told.expires_in * 1000 : 0;
		return token;
	}

	/** By POST: a cache that keeps answers to GET against their own word would hand one shopper's token to the next. */
	function withNonce( nonce ) {
		return ask( config.token, { method: 'POST', cache: 'no-store', credentials: 'same-origin', headers: { 'X-WP-Nonce': nonce } } );
	}

	// --- Laurel -------------------------------------------------------------------------------------------------

	/** The answer's JSON; null for no answer or a refusal. */
	async function read( path, query ) {
		const answer = await call( path, query );
		return answer && answer.ok ? json( answer ) : null;
	}

	async function call( path, query, body, key ) {
		const url = new URL( api + path );
		const params = Object.assign( { key: config.shop, lang: config.lang }, query );
		Object.keys( params ).forEach( ( name ) => url.searchParams.set( name, params[ name ] ) );
		for ( const again of [ false, true ] ) {
			const mine = await getToken( again );
			const headers = { Accept: 'application/json' };
			if ( mine ) {
				headers.Authorization = 'Bearer ' + mine;
			}
			const options = { headers, cache: 'no-store', credentials: 'omit' };
			if ( body ) {
				headers[ 'Content-Type' ] = 'application/json';
				headers[ 'Idempotency-Key' ] = key;
				options.method = 'POST';
				options.body = JSON.stringify( Object.assign( { shop: config.shop, request_key: key }, body ) );
			}
			const answer = await ask( url.toString(), options, body ? WRITE_MS : READ_MS );
			if ( ! answer || answer.status !== 401 || ! mine ) {
				return answer;
			}
		}
		return null;
	}

	async function ask( url, options, wait ) {
		const stop = new AbortController();
		const timer = setTimeout( () => stop.abort(), wait || READ_MS );
		try {
			return await fetch( url, Object.assign( { signal: stop.signal }, options ) );
		} catch ( error ) {
			return null;
		} finally {
			clearTimeout( timer );
		}
	}

	async function json( answer ) {
		try {
			return await answer.json();
		} catch ( error ) {
			return null;
		}
	}

	// --- Parts of the page --------------------------------------------------------------------------------------

	function h( tag, props, ...children ) {
		const node = document.createElement( tag );
		Object.keys( props ).forEach( ( name ) => {
			if ( name.slice( 0, 2 ) === 'on' ) {
				node.addEventListener( name.slice( 2 ), props[ name ] );
			} else if ( props[ name ] !== null ) {
				node.setAttribute( name, props[ name ] );
			}
		} );
		node.append( ...children.filter( ( child ) => child !== null ) );
		return node;
	}

	const filled = ( text, value ) => text.replace( '%s', () => value );

	// --- The launcher and the panel -------------------------------------------------------------------------------

	function widget( mode ) {
		const node = h( 'laurel-widget', {
			api: api.slice( 0, -1 ),
			shop: config.shop,
			lang: config.lang,
			token,
			mode,
			'signin-url': config.signIn,
			'join-url': config.signIn,
			'apply-url': config.apply,
		} );
		node.addEventListener( 'laurel:token', async () => {
			const fresh = await getToken( true );
			if ( fresh ) {
				node.setAttribute( 'token', fresh );
			}
		} );
		node.addEventListener( 'click', applyHere );
		return node;
	}

	/** “Apply” in the panel: without leaving the cart or the checkout, where there is one. */
	function applyHere( event ) {
		const link = event.composedPath().find( ( node ) => node.localName === 'a' && node.href );
		const cart = document.querySelector( '[data-laurel=redeem]' );
		if ( ! link || ! cart || event.ctrlKey || event.metaKey || event.shiftKey ) {
			return;
		}
		const code = new URL( link.href, location.href ).searchParams.get( 'laurel_code' );
		if ( code ) {
			event.preventDefault();
			event.currentTarget.close();
			apply( code ).then( ( problem ) => {
				said = { text: problem || filled( words.applied, code ), good: ! problem, code: problem ? '' : code };
				say( cart, said.text, said.good );
			} );
		}
	}

	/** Above a bar that the theme keeps at the bottom of the window: Storefront has one on phones, the cart block its button. */
	function lift( node ) {
		const hits = document.elementsFromPoint( window.innerWidth / 2, window.innerHeight - 2 ).filter( ( one ) => one !== node );
		let bar = hits[ 0 ] || null;
		while ( bar && ! [ 'fixed', 'sticky' ].includes( getComputedStyle( bar ).position ) ) {
			bar = bar.parentElement;
		}
		const covered = bar ? window.innerHeight - bar.getBoundingClientRect().top : 0;
		// What fills more of the window than that is no bar: the launcher stays where it is, beneath.
		node.style.setProperty( '--laurel-lift', ( covered < window.innerHeight / 3 ? Math.max( 0, Math.round( covered ) ) : 0 ) + 'px' );
	}

	/** Bars come and go with scrolling. Looked at a few times a second at most. */
	function keepLifted( node ) {
		let waits = false;
		const look = () => {
			if ( ! waits ) {
				waits = true;
				setTimeout( () => {
					waits = false;
					lift( node );
				}, 250 );
			}
		};
		window.addEventListener( 'scroll', look, { passive: true } );
		window.addEventListener( 'resize', look );
		lift( node );
	}

	function mount() {
		const places = document.querySelectorAll( '[data-laurel=panel]:empty' );
		places.forEach( ( place ) => place.append( widget( 'inline' ) ) );
		if ( config.launcher && ! document.querySelector( 'laurel-widget' ) ) {
			const launcher = widget( null );
			document.body.append( launcher );
			keepLifted( launcher );
		}
		if ( document.querySelector( 'laurel-widget' ) && ! document.querySelector( 'script[data-laurel]' ) ) {
			document.head.append( h( 'script', { type: 'module', src: config.server + '/widget/laurel.js', 'data-laurel': '' } ) );
		}
	}

	// --- What it earns ------------------------------------------------------------------------------------------

	function person() {
		try {
			return token ? String( JSON.parse( atob( token.split( '.' )[ 1 ].replace( /-/g, '+' ).replace( /_/g, '/' ) ) ).sub ) : '';
		} catch ( error ) {
			return '';
		}
	}

	const known = new Map(); // questions of this page, asked once

	/** What a basket would earn, from this tab's memory if it was asked a moment ago. */
	function estimate( wish ) {
		const name = [ 'laurel', config.server, config.shop, config.lang, person(), JSON.stringify( wish ) ].join( ' ' );
		if ( ! known.has( name ) ) {
			const kept = recall( name );
			known.set( name, kept ? Promise.resolve( kept ) : read( 'estimate', wish ).then( ( told ) => remember( name, told ) ) );
			setTimeout( () => known.delete( name ), KEEP_MS );
		}
		return known.get( name );
	}

	function recall( name ) {
		try {
			const kept = JSON.parse( sessionStorage.getItem( name ) );
			return kept && Date.now() - kept.at < KEEP_MS ? kept.told : null;
		} catch ( error ) {
			return null;
		}
	}

	function remember( name, told ) {
		try {
			if ( told ) {
				sessionStorage.setItem( name, JSON.stringify( { at: Date.now(), told } ) );
			} else {
				known.delete( name ); // no answer is no answer to keep
			}
		} catch ( error ) { /* full or switched off: asked again next time */ }
		return told;
	}

	/** The sentence; empty where there is nothing to say. Never a number that is not the server's. */
	function sentence( kind, told ) {
		if ( ! told || ! told.points ) {
			return '';
		}
		const about = told.about ? 'About' : '';
		if ( ! token ) {
			return filled( words[ 'guest' + about ], told.text );
		}
		return filled( words[ ( kind === 'order' ? 'thanks' : 'earn' ) + about ], told.text );
	}

	async function fillEarn( place ) {
		const text = place.dataset.wish;
		if ( place.dataset.filled === text ) {
			return;
		}
		place.dataset.filled = text;
		const told = text ? await estimate( times( JSON.parse( text ), place ) ) : null;
		if ( place.dataset.filled === text ) { // else it is about something else by now
			place.textContent = sentence( place.dataset.kind, told );
		}
	}

	/** On a product's page: for as many pieces as are chosen. */
	function times( wish, place ) {
		const input = place.dataset.kind === 'product' ? document.querySelector( QUANTITY ) : null;
		const pieces = input ? Math.min( Math.max( parseInt( input.value, 10 ) || 1, 1 ), 9999 ) : 1;
		const line = ( one ) => one.split( '.' ).map( ( part, at ) => ( at >= 2 && at <= 5 ? String( part * pieces ) : part ) ).join( '.' );
		return Object.assign( {}, wish, { lines: wish.lines.split( ',' ).map( line ).join( ',' ) } );
	}

	// --- Rewards in the cart ------------------------------------------------------------------------------------

	let offer = null; // a promise of what can be used now; read once a page and after each use

	function loadOffer() {
		offer = offer || Promise.all( [ read( 'me' ), read( 'rewards' ), read( 'redemptions' ) ] );
		return offer;
	}

	let said = null; // what became of the last use, as long as this page lives

	async function fillRedeem( place ) {
		const { used, alone, fits } = inCart();
		if ( place.dataset.filled === used || ! config.signedIn || place.querySelector( 'button:disabled' ) ) {
			return;
		}
		place.dataset.filled = used;
		const [ me, rewards, redemptions ] = await loadOffer();
		if ( ! me || ! me.member || ! rewards || ! redemptions || place.dataset.filled !== used ) {
			return; // not a member, or no answer: the page is as always
		}
		const open = redemptions.redemptions.filter( ( one ) => one.state === 'issued' && one.code && one.reward &&
			AT_ONCE.includes( one.reward.kind ) && ! used.split( ' ' ).includes( one.code.toLowerCase() ) );
		const ready = rewards.rewards.filter( ( one ) => one.state === 'ready' && AT_ONCE.includes( one.kind ) && ! one.steps );
		const items = alone ? [] : [
			...open.filter( ( one ) => fits( one.reward.kind ) ).map( ( one ) => item( one.reward.title, words.yours, ( button ) => use( place, button, Promise.resolve( one ) ) ) ),
			...ready.filter( ( one ) => fits( one.kind ) ).map( ( one ) => item( one.title, one.cost_text || String( one.cost ), ( button ) => use( place, button, redeem( one ) ) ) ),
		];
		const news = said && ( ! said.code || used.includes( said.code.toLowerCase() ) ) ? said : null;
		// Points alone are no reason for a box beside the way to pay.
		place.replaceChildren( ...( items.length || news ? [
			h( 'p', { class: 'laurel-have' }, filled( words.have, me.member.balance.available_text ) ),
			h( 'ul', {}, ...items ),
			h( 'p', { class: 'laurel-said', role: 'status' } ),
		] : [] ) );
		if ( news ) {
			say( place, news.text, news.good );
		}
	}

	/** The codes in the cart, whether one of them wants no other beside it, and which kinds of reward fit, as the page says. */
	function inCart() {
		const place = document.querySelector( '[data-laurel=earn][data-kind=cart]' );
		const told = place ? place.dataset : {};
		const currency = told.wish ? JSON.parse( told.wish ).currency : config.currency;
		return {
			used: ' ' + ( told.codes || '' ).toLowerCase(), // WooCommerce 9.9 keeps the case that they were made in
			alone: Boolean( told.alone ),
			// Where another plugin shows another currency, a coupon of 5.00 takes off 5.00 of that: $5.00 would be ¥5.
			fits: ( kind ) => kind !== 'amount' || ! config.currency || currency === config.currency,
		};
	}

	function item( title, cost, act ) {
		const button = h( 'button', { type: 'button', class: 'button wp-element-button', 'aria-label': words.use + ': ' + title, onclick: () => act( button ) }, words.use );
		return h( 'li', {}, h( 'span', {}, h( 'b', {}, title ), ' ', h( 'small', {}, cost ) ), button );
	}

	async function use( place, button, getting ) {
		const held = place.contains( document.activeElement );
		const buttons = place.querySelectorAll( 'button' );
		buttons.forEach( ( one ) => {
			one.disabled = true;
		} );
		button.textContent = words.using;
		const got = await getting;
		let text = got.text || words.failed;
		let good = false;
		if ( got.code ) {
			const problem = await apply( got.code );
			good = ! problem;
			text = good ? filled( words.applied, got.code ) : problem + ' ' + filled( words.kept, got.code );
		}
		offer = null;
		said = { text, good, code: good ? got.code : '' };
		buttons.forEach( ( one ) => {
			one.disabled = false;
		} );
		document.querySelectorAll( '[data-laurel=redeem]' ).forEach( ( each ) => {
			delete each.dataset.filled;
			fillRedeem( each ).then( () => each === place && held && goOn( place ) );
		} );
	}

	/** The button that was pressed is gone: whoever works by keyboard goes on at what came of it, not at the top of the page. */
	function goOn( place ) {
		const line = place.querySelector( '.laurel-said' );
		if ( line && document.activeElement === document.body ) {
			line.tabIndex = -1;
			line.focus( { preventScroll: true } );
		}
	}

	/** Points for a code: {code}, or {text} that says what became of it. The same click twice is one purchase. */
	async function redeem( reward ) {
		const key = crypto.randomUUID ? crypto.randomUUID() : String( Date.now() ) + Math.random();
		let answer = null;
		for ( const wait of [ 0, 2, 5 ] ) { // no answer: the same request again, under the same key
			await seconds( wait );
			answer = await call( 'redemptions', {}, { reward: reward.key }, key );
			if ( answer && answer.status < 500 && answer.status !== 429 ) {
				break;
			}
		}
		let told = answer ? await json( answer ) : null;
		if ( ! answer || ! answer.ok || ! told ) {
			const refused = answer && answer.status >= 400 && answer.status < 500 && answer.status !== 429;
			return { text: refused ? ( told && ( told.detail || told.title ) ) || words.failed : words.later };
		}
		for ( const wait of WAITS_S ) {
			if ( told.state !== 'requested' ) {
				break;
			}
			await seconds( wait );
			told = ( await read( 'redemptions/' + encodeURIComponent( told.id ) ) ) || told;
		}
		if ( told.code && told.state === 'issued' ) {
			return told;
		}
		return { text: told.state === 'requested' ? words.later : told.detail || words.failed };
	}

	/** Put a code into the cart: what the shop says against it, or null. By the block's own store, or the shop's Store API. */
	async function apply( code ) {
		const data = window.wp && window.wp.data;
		if ( data && data.select( 'wc/store/cart' ) && document.querySelector( '.wp-block-woocommerce-cart, .wp-block-woocommerce-checkout' ) ) {
			try {
				await data.dispatch( 'wc/store/cart' ).applyCoupon( code );
				return null;
			} catch ( error ) {
				return plain( ( error && error.message ) || words.failed );
			}
		}
		const cart = await ask( config.store + 'cart', { credentials: 'same-origin' } );
		const nonce = cart && cart.headers.get( 'Nonce' );
		const answer = nonce && await ask( config.store + 'cart/apply-coupon', {
			method: 'POST',
			credentials: 'same-origin',
			headers: { 'Content-Type': 'application/json', Nonce: nonce },
			body: JSON.stringify( { code } ),
		}, WRITE_MS );
		if ( ! answer || ! answer.ok ) {
			const told = answer ? await json( answer ) : null;
			return plain( ( told && told.message ) || words.failed );
		}
		if ( window.jQuery ) {
			window.jQuery( document.body ).trigger( 'update_checkout' ).trigger( 'wc_update_cart' );
		}
		return null;
	}

	/** WooCommerce writes entities into its messages. */
	function plain( text ) {
		return new DOMParser().parseFromString( text, 'text/html' ).body.textContent;
	}

	function say( place, text, good ) {
		let line = place.querySelector( '.laurel-said' );
		if ( ! line ) {
			line = h( 'p', { class: 'laurel-said', role: 'status' } );
			place.append( line );
		}
		line.className = 'laurel-said ' + ( good ? 'laurel-good' : 'laurel-bad' );
		line.textContent = text;
	}

	function seconds( count ) {
		return new Promise( ( done ) => {
			setTimeout( done, count * 1000 );
		} );
	}

	/** Whose friend has come: remembered as the widget does, which may be on another page, and tells it once there is a member. */
	function keepFriend() {
		try {
			const code = new URLSearchParams( window.location.search ).get( 'laurel_friend' ) || '';
			if ( /^[\w-]{1,60}$/.test( code ) ) {
				localStorage.setItem( 'laurel-friend', JSON.stringify( { code, at: Date.now() } ) );
			}
		} catch ( error ) { /* no storage: a link then counts for nobody */ }
	}

	// --- When ---------------------------------------------------------------------------------------------------

	/** Places come and go with every change of a cart; each is filled once. */
	function scan() {
		document.querySelectorAll( '[data-laurel=earn]' ).forEach( fillEarn );
		document.querySelectorAll( '[data-laurel=redeem]' ).forEach( fillRedeem );
	}

	function listen() {
		document.addEventListener( 'change', ( event ) => {
			if ( event.target.matches && event.target.matches( QUANTITY ) ) {
				recount();
				setTimeout( recount, SETTLED_MS );
			}
		} );
		document.querySelectorAll( '[data-laurel=variations]' ).forEach( followVariation );
		const $ = window.jQuery;
		if ( ! $ ) {
			return;
		}
		$( document.body ).on( 'updated_checkout updated_cart_totals updated_wc_div', scan );
		$( document ).on( 'found_variation', 'form.variations_form', ( event, variation ) => about( variation.laurel ) );
		$( document ).on( 'reset_data', 'form.variations_form', () => about( null ) );
	}

	/** For as many pieces as are chosen now. */
	function recount() {
		document.querySelectorAll( '[data-laurel=earn][data-kind=product]' ).forEach( ( place ) => {
			delete place.dataset.filled;
		} );
		scan();
	}

	/** The block “Add to Cart + Options” tells nobody which variation was chosen; its hidden field holds it. */
	function followVariation( told ) {
		const field = document.querySelector( '.wp-block-add-to-cart-with-options input[name=variation_id]' );
		if ( field ) {
			const wishes = JSON.parse( told.dataset.wishes );
			new MutationObserver( () => about( wishes[ field.value ] ) ).observe( field, { attributes: true, attributeFilter: [ 'value' ] } );
		}
	}

	function about( wish ) {
		document.querySelectorAll( '[data-laurel=earn][data-kind=product]' ).forEach( ( place ) => {
			place.dataset.wish = wish ? JSON.stringify( wish ) : '';
		} );
		scan();
	}

	async function start() {
		keepFriend();
		await getToken();
		mount();
		scan();
	}

	window.laurelShop = { scan };
	listen();
	const whenIdle = () => ( window.requestIdleCallback ? window.requestIdleCallback( start, { timeout: 2000 } ) : setTimeout( start, 200 ) );
	if ( document.readyState === 'complete' ) {
		whenIdle();
	} else {
		window.addEventListener( 'load', whenIdle, { once: true } );
	}
}() );
