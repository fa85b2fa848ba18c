<?php
/**
 * Cart, checkout and the page after it, as shortcodes and as blocks.
 *
 * @package LaurelLoyalty
 */

namespace Laurel\Loyalty;

use WC_Order;

defined( 'ABSPATH' ) || exit;

/**
 * What the cart earns, and the rewards that can be used without leaving the page.
 */
final class Checkout {

	/**
	 * Hooks.
	 */
	public static function start(): void {
		if ( ! Connection::is_connected() ) {
			return;
		}
		$shown = Storefront::shown();
		if ( $shown['cart'] ) {
			add_action( 'woocommerce_cart_totals_after_order_total', array( self::class, 'cart_row' ) );
			add_action( 'woocommerce_review_order_after_order_total', array( self::class, 'cart_row' ) );
			add_action( 'woocommerce_proceed_to_checkout', array( self::class, 'rewards' ), 5 );
			add_action( 'woocommerce_review_order_before_payment', array( self::class, 'rewards' ), 5 );
			add_action( 'woocommerce_blocks_loaded', array( self::class, 'store_api' ) );
			add_action( 'woocommerce_blocks_enqueue_cart_block_scripts_after', array( self::class, 'blocks' ) );
			add_action( 'woocommerce_blocks_enqueue_checkout_block_scripts_after', array( self::class, 'blocks' ) );
			if ( did_action( 'woocommerce_blocks_loaded' ) ) {
				self::store_api();
			}
		}
		if ( $shown['thanks'] ) {
			add_action( 'woocommerce_thankyou', array( self::class, 'thanks' ), 5 );
		}
	}

	/**
	 * A row below the total.
	 */
	public static function cart_row(): void {
		$wish = Lines::of_cart();
		if ( $wish ) {
			$wish['channel'] = 'checkout';
			echo '<tr class="laurel-row"><td colspan="2">' . Storefront::earn( 'cart', $wish, self::codes() ) . '</td></tr>'; // phpcs:ignore WordPress.Security.EscapeOutput.OutputNotEscaped -- escaped where it is made.
		}
	}

	/**
	 * The place for rewards.
	 */
	public static function rewards(): void {
		if ( is_user_logged_in() ) {
			echo '<div class="laurel-redeem" data-laurel="redeem"></div>';
		}
	}

	/**
	 * What the cart block's own data says beside the cart.
	 */
	public static function store_api(): void {
		if ( ! function_exists( 'woocommerce_store_api_register_endpoint_data' ) ) {
			return;
		}
		woocommerce_store_api_register_endpoint_data(
			array(
				'endpoint'        => 'cart',
				'namespace'       => 'laurel-loyalty',
				'data_callback'   => array( self::class, 'cart_data' ),
				'schema_callback' => array( self::class, 'cart_schema' ),
				'schema_type'     => ARRAY_A,
			)
		);
	}

	/**
	 * The question to Laurel about the cart.
	 *
	 * @return array<string, string>
	 */
	public static function cart_data(): array {
		$wish = Lines::of_cart();
		return array( 'wish' => $wish ? (string) wp_json_encode( array( 'channel' => 'store-api' ) + $wish ) : '' ) + self::codes();
	}

	/**
	 * What is used already and so not offered once more: the codes in the cart, by spaces, and whether one of them
	 * wants no other beside it. Then no points are taken for a code that the shop would refuse.
	 *
	 * @return array{codes:string, alone:string}
	 */
	private static function codes(): array {
		$coupons = WC()->cart ? WC()->cart->get_coupons() : array();
		$alone   = false;
		foreach ( $coupons as $coupon ) {
			$alone = $alone || $coupon->get_individual_use();
		}
		return array(
			'codes' => implode( ' ', array_keys( $coupons ) ),
			'alone' => $alone ? 'yes' : '',
		);
	}

	/**
	 * Its shape.
	 *
	 * @return array<string, mixed>
	 */
	public static function cart_schema(): array {
		return array(
			'wish'  => array(
				'description' => 'What to ask Laurel about this cart.',
				'type'        => 'string',
				'readonly'    => true,
			),
			'codes' => array(
				'description' => 'The codes in this cart, by spaces.',
				'type'        => 'string',
				'readonly'    => true,
			),
			'alone' => array(
				'description' => 'Whether one of them wants no other beside it.',
				'type'        => 'string',
				'readonly'    => true,
			),
		);
	}

	/**
	 * The script that puts our places into the blocks.
	 */
	public static function blocks(): void {
		wp_enqueue_script( 'laurel-loyalty-blocks', plugins_url( 'assets/checkout-blocks.js', FILE ), array( 'wp-plugins', 'wp-element', 'wc-blocks-checkout' ), VERSION, true );
	}

	/**
	 * After the order.
	 *
	 * @param mixed $order_id Its id.
	 */
	public static function thanks( $order_id ): void {
		$order = wc_get_order( (int) $order_id );
		if ( ! $order instanceof WC_Order || $order->has_status( array( 'failed', 'cancelled' ) ) ) {
			return;
		}
		// The shopper's own orders; a guest hears what members have.
		if ( $order->get_customer_id() && get_current_user_id() !== $order->get_customer_id() ) {
			return;
		}
		echo Storefront::earn( 'order', Lines::of_order( $order ) ); // phpcs:ignore WordPress.Security.EscapeOutput.OutputNotEscaped -- escaped where it is made.
	}
}
