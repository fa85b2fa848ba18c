<?php
/**
 * The shop's pages: the launcher, the panel, and what a product earns.
 *
 * @package LaurelLoyalty
 */

namespace Laurel\Loyalty;

use WC_Product;

defined( 'ABSPATH' ) || exit;

/**
 * The page holds empty places and addresses only. What is somebody's own comes later, by the browser: so a page may be
 * kept by any cache, waits for no server, and looks as always when Laurel is down.
 */
final class Storefront {

	const OPTION   = 'laurel_loyalty_shown';
	const ENDPOINT = 'laurel-rewards';

	/**
	 * Whether the page has its product's points: block themes run the older themes' hooks as well.
	 *
	 * @var bool
	 */
	private static $is_product_shown = false;

	/**
	 * Hooks.
	 */
	public static function start(): void {
		if ( ! Connection::is_connected() ) {
			return;
		}
		$shown = self::shown();
		add_action( 'wp_enqueue_scripts', array( self::class, 'scripts' ) );
		add_shortcode( 'laurel', array( self::class, 'panel' ) );
		add_action( 'init', array( self::class, 'block' ) );
		if ( $shown['product'] ) {
			add_action( 'woocommerce_single_product_summary', array( self::class, 'product' ), 15 );
			add_filter( 'woocommerce_available_variation', array( self::class, 'variation' ), 10, 3 );
			add_filter( 'render_block_woocommerce/product-price', array( self::class, 'product_block' ), 10, 3 );
			add_filter( 'render_block_woocommerce/add-to-cart-with-options', array( self::class, 'options_block' ), 10, 3 );
		}
		if ( $shown['account'] ) {
			add_filter( 'woocommerce_get_query_vars', array( self::class, 'query_vars' ) );
			add_filter( 'woocommerce_account_menu_items', array( self::class, 'menu' ) );
			add_filter( 'woocommerce_endpoint_' . self::ENDPOINT . '_title', array( self::class, 'title' ) );
			add_action( 'woocommerce_account_' . self::ENDPOINT . '_endpoint', array( self::class, 'account' ) );
		}
	}

	/**
	 * What is shown where.
	 *
	 * @return array<string, bool>
	 */
	public static function shown(): array {
		$all  = array(
			'launcher' => true,
			'product'  => true,
			'cart'     => true,
			'thanks'   => true,
			'account'  => true,
		);
		$held = get_option( self::OPTION, array() );
		return array_merge( $all, is_array( $held ) ? array_intersect_key( $held, $all ) : array() );
	}

	/**
	 * Our script, after everything else; the widget's own module is asked for by it, once the page is there.
	 */
	public static function scripts(): void {
		wp_register_style( 'laurel-loyalty', plugins_url( 'assets/shop.css', FILE ), array(), VERSION );
		wp_enqueue_style( 'laurel-loyalty' );
		wp_enqueue_script(
			'laurel-loyalty',
			plugins_url( 'assets/shop.js', FILE ),
			array(),
			VERSION,
			array(
				'strategy'  => 'defer',
				'in_footer' => true,
			)
		);
		wp_add_inline_script( 'laurel-loyalty', 'window.laurelLoyalty = ' . wp_json_encode( self::config(), JSON_HEX_TAG | JSON_HEX_AMP ) . ';', 'before' );
	}

	/**
	 * What the script works with. Nothing of it is about a person but that somebody is signed in, and a nonce that is
	 * worth nothing to anybody else.
	 *
	 * @return array<string, mixed>
	 */
	private static function config(): array {
		$facts     = Connection::facts();
		$signed_in = is_user_logged_in();
		return array(
			'server'   => $facts['server'],
			'shop'     => $facts['shop_key'],
			'currency' => (string) get_option( 'woocommerce_currency' ), // the shop's own, whatever another plugin shows.
			'lang'     => str_replace( '_', '-', determine_locale() ),
			'launcher' => self::shown()['launcher'] && ! self::has_own_place(),
			'signedIn' => $signed_in,
			'token'    => rest_url( 'laurel/v1/token' ),
			'nonce'    => $signed_in ? wp_create_nonce( 'wp_rest' ) : '',
			'ajax'     => admin_url( 'admin-ajax.php' ),
			'store'    => rest_url( 'wc/store/v1/' ),
			'signIn'   => wc_get_page_permalink( 'myaccount' ),
			'apply'    => add_query_arg( Codes::ASKED, '{code}', home_url( '/' ) ),
			'words'    => array(
				/* translators: %s: such as "25 points". */
				'earn'        => __( 'You will earn %s.', 'laurel-loyalty' ),
				/* translators: %s: such as "25 points". */
				'earnAbout'   => __( 'You will earn about %s.', 'laurel-loyalty' ),
				/* translators: %s: such as "25 points". */
				'guest'       => __( 'Members earn %s with this.', 'laurel-loyalty' ),
				/* translators: %s: such as "25 points". */
				'guestAbout'  => __( 'Members earn about %s with this.', 'laurel-loyalty' ),
				/* translators: %s: such as "25 points". */
				'thanks'      => __( 'This order earns %s once it is paid.', 'laurel-loyalty' ),
				/* translators: %s: such as "25 points". */
				'thanksAbout' => __( 'This order earns about %s once it is paid.', 'laurel-loyalty' ),
				/* translators: %s: such as "320 points". */
				'have'        => __( 'You have %s', 'laurel-loyalty' ),
				'use'         => __( 'Use', 'laurel-loyalty' ),
				'using'       => __( 'One moment …', 'laurel-loyalty' ),
				'yours'       => __( 'Yours already', 'laurel-loyalty' ),
				/* translators: %s: a code such as FERN-7KQ2. */
				'applied'     => __( '%s is applied.', 'laurel-loyalty' ),
				/* translators: %s: a code such as FERN-7KQ2. */
				'kept'        => __( 'Your code %s is kept under your rewards.', 'laurel-loyalty' ),
				'later'       => __( 'Your code is being made. It will be under your rewards in a moment.', 'laurel-loyalty' ),
				'failed'      => __( 'That did not work. No points were lost.', 'laurel-loyalty' ),
			),
		);
	}

	/**
	 * Whether the page shows points by itself, or is the checkout, where nothing may lie over the way to pay.
	 */
	private static function has_own_place(): bool {
		return is_wc_endpoint_url( self::ENDPOINT ) || ( is_checkout() && ! is_order_received_page() );
	}

	/**
	 * The panel's place on a page: [laurel], the block, the account.
	 */
	public static function panel(): string {
		return '<div class="laurel-panel" data-laurel="panel"></div>';
	}

	/**
	 * The same as a block.
	 */
	public static function block(): void {
		wp_register_script( 'laurel-loyalty-block', plugins_url( 'assets/block.js', FILE ), array( 'wp-blocks', 'wp-element', 'wp-i18n', 'wp-block-editor' ), VERSION, true );
		wp_set_script_translations( 'laurel-loyalty-block', 'laurel-loyalty' );
		register_block_type(
			'laurel/rewards',
			array(
				'api_version'     => 3,
				'title'           => __( 'Laurel rewards', 'laurel-loyalty' ),
				'description'     => __( 'The shopper’s points and rewards.', 'laurel-loyalty' ),
				'category'        => 'woocommerce',
				'icon'            => 'awards',
				'supports'        => array( 'html' => false ),
				'editor_script'   => 'laurel-loyalty-block',
				'render_callback' => array( self::class, 'panel' ),
			)
		);
	}

	// --- Products --------------------------------------------------------------------------------------------

	/**
	 * The place for a product's points; a variable product has some once a variation is chosen.
	 */
	public static function product(): void {
		global $product;
		if ( $product instanceof WC_Product && ! self::$is_product_shown ) {
			echo self::earn_of( $product ); // phpcs:ignore WordPress.Security.EscapeOutput.OutputNotEscaped -- escaped where it is made.
		}
	}

	/**
	 * The same after the price block of a product's own page (block themes).
	 *
	 * @param mixed                $html  Of the price.
	 * @param array<string, mixed> $block Not looked at.
	 * @param object|null          $at    The block as it stands on the page.
	 * @return mixed
	 */
	public static function product_block( $html, $block, $at = null ) {
		$id = is_object( $at ) && isset( $at->context['postId'] ) ? (int) $at->context['postId'] : 0;
		if ( ! is_string( $html ) || 0 === $id || self::$is_product_shown || ! is_singular( 'product' ) || get_queried_object_id() !== $id ) {
			return $html;
		}
		$product = wc_get_product( $id );
		return $product ? $html . self::earn_of( $product ) : $html;
	}

	/**
	 * A place for points, and what to ask.
	 *
	 * @param WC_Product $product The product.
	 */
	private static function earn_of( WC_Product $product ): string {
		if ( $product->is_type( array( 'grouped', 'external' ) ) ) {
			return '';
		}
		self::$is_product_shown = true;

		$wish = $product->is_type( 'variable' ) ? null : Lines::of_product( $product );
		return self::earn( 'product', $wish );
	}

	/**
	 * An empty line of the page that the script fills; it keeps its height, so that nothing moves.
	 *
	 * @param string                     $kind What it is about: product, cart, order.
	 * @param array<string, string>|null $wish What to ask; null: not known yet.
	 * @param array<string, string>      $more Further facts, as data attributes.
	 */
	public static function earn( string $kind, ?array $wish, array $more = array() ): string {
		$html = '<p class="laurel-earn" data-laurel="earn" aria-live="polite"';
		foreach ( array(
			'kind' => $kind,
			'wish' => $wish ? (string) wp_json_encode( $wish ) : '',
		) + $more as $name => $value ) {
			$html .= sprintf( ' data-%s="%s"', esc_attr( $name ), esc_attr( $value ) );
		}
		return $html . '></p>';
	}

	/**
	 * What a variation is asked about, beside its price.
	 *
	 * @param mixed $data      As WooCommerce hands it to the page.
	 * @param mixed $whole     The product.
	 * @param mixed $variation The variation.
	 * @return mixed
	 */
	public static function variation( $data, $whole, $variation ) {
		if ( is_array( $data ) && $variation instanceof WC_Product ) {
			$data['laurel'] = Lines::of_product( $variation );
		}
		return $data;
	}

	/**
	 * What each variation is asked about, beside the block “Add to Cart + Options”, which hands nothing of ours to the
	 * page. As many variations as WooCommerce itself puts into a page.
	 *
	 * @param mixed                $html  Of the block.
	 * @param array<string, mixed> $block Not looked at.
	 * @param object|null          $at    The block as it stands on the page.
	 * @return mixed
	 */
	public static function options_block( $html, $block, $at = null ) {
		$id      = is_object( $at ) && isset( $at->context['postId'] ) ? (int) $at->context['postId'] : 0;
		$product = $id > 0 ? wc_get_product( $id ) : null;
		if ( ! is_string( $html ) || ! $product || ! $product->is_type( 'variable' ) || get_queried_object_id() !== $id ) {
			return $html;
		}
		// WooCommerce's own filter, so that a shop that raised the number has raised it here.
		$most = (int) apply_filters( 'woocommerce_ajax_variation_threshold', 30, $product ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals.NonPrefixedHooknameFound -- not ours.
		$ids  = $product->get_children();
		if ( count( $ids ) > $most ) {
			return $html;
		}
		$wishes = array();
		foreach ( array_filter( array_map( 'wc_get_product', $ids ) ) as $variation ) {
			$wishes[ $variation->get_id() ] = Lines::of_product( $variation );
		}
		return $html . '<div hidden data-laurel="variations" data-wishes="' . esc_attr( (string) wp_json_encode( $wishes ) ) . '"></div>';
	}

	// --- The account -----------------------------------------------------------------------------------------

	/**
	 * Its address.
	 *
	 * @param array<string, string> $vars Of WooCommerce.
	 * @return array<string, string>
	 */
	public static function query_vars( array $vars ): array {
		$vars[ self::ENDPOINT ] = self::ENDPOINT;
		return $vars;
	}

	/**
	 * In the menu after the orders.
	 *
	 * @param array<string, string> $items Of the menu.
	 * @return array<string, string>
	 */
	public static function menu( array $items ): array {
		$at = array_search( 'orders', array_keys( $items ), true );
		$at = false === $at ? 1 : $at + 1;
		return array_slice( $items, 0, $at, true ) + array( self::ENDPOINT => self::title() ) + array_slice( $items, $at, null, true );
	}

	/**
	 * Its name.
	 */
	public static function title(): string {
		return __( 'Rewards', 'laurel-loyalty' );
	}

	/**
	 * The page.
	 */
	public static function account(): void {
		echo self::panel(); // phpcs:ignore WordPress.Security.EscapeOutput.OutputNotEscaped -- no word of anybody's in it.
	}
}
