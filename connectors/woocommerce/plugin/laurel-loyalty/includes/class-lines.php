<?php
/**
 * A product, a cart or an order as Laurel's storefront API wants to hear it, to say what it would earn.
 *
 * @package LaurelLoyalty
 */

namespace Laurel\Loyalty;

use WC_Order;
use WC_Product;

defined( 'ABSPATH' ) || exit;

/**
 * Amounts in the smallest units of the currency, after discounts and without tax, rounded as the shop shows them.
 */
final class Lines {

	const WITHOUT_DECIMALS = array( 'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF' );
	const WITH_THREE       = array( 'BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND' );
	const GIFT_CARDS       = array( 'gift-card', 'pw-gift-card', 'gift_card' ); // types of product that plugins add.

	/**
	 * One piece of a product; null where it has no price of its own.
	 *
	 * @param WC_Product $product Simple, or a variation.
	 * @return array<string, string>|null
	 */
	public static function of_product( WC_Product $product ): ?array {
		if ( '' === (string) $product->get_price() ) {
			return null;
		}
		$net   = (float) wc_get_price_excluding_tax( $product );
		$gross = (float) wc_get_price_including_tax( $product );
		return self::wish( array( self::line( $product, 1, $net, $net, $gross - $net, get_woocommerce_currency() ) ) );
	}

	/**
	 * The cart of this session; null without one, or an empty one.
	 *
	 * @return array<string, string>|null
	 */
	public static function of_cart(): ?array {
		$cart = WC()->cart;
		if ( ! $cart || $cart->is_empty() ) {
			return null;
		}
		$currency = get_woocommerce_currency();
		$lines    = array();
		foreach ( $cart->get_cart() as $item ) {
			$total   = isset( $item['line_total'] ) ? (float) $item['line_total'] : 0.0;
			$before  = isset( $item['line_subtotal'] ) ? (float) $item['line_subtotal'] : $total;
			$tax     = isset( $item['line_tax'] ) ? (float) $item['line_tax'] : 0.0;
			$lines[] = self::line( $item['data'], (float) $item['quantity'], $total, $before, $tax, $currency );
		}
		$off = 0.0;
		foreach ( $cart->get_fees() as $fee ) {
			$off += min( 0.0, (float) $fee->total );
		}
		return self::wish(
			$lines,
			array(
				'fees'         => self::minor( -$off, $currency ),
				'delivery'     => self::minor( (float) $cart->get_shipping_total(), $currency ),
				'delivery_tax' => self::minor( (float) $cart->get_shipping_tax(), $currency ),
			)
		);
	}

	/**
	 * An order that was just placed.
	 *
	 * @param WC_Order $order The order.
	 * @return array<string, string>
	 */
	public static function of_order( WC_Order $order ): array {
		$currency = $order->get_currency();
		$lines    = array();
		foreach ( $order->get_items() as $item ) {
			$lines[] = self::line( $item->get_product(), (float) $item->get_quantity(), (float) $item->get_total(), (float) $item->get_subtotal(), (float) $item->get_total_tax(), $currency );
		}
		$off = 0.0;
		foreach ( $order->get_fees() as $fee ) {
			$off += min( 0.0, (float) $fee->get_total() );
		}
		return self::wish(
			$lines,
			array(
				'fees'         => self::minor( -$off, $currency ),
				'delivery'     => self::minor( (float) $order->get_shipping_total(), $currency ),
				'delivery_tax' => self::minor( (float) $order->get_shipping_tax(), $currency ),
				'channel'      => (string) $order->get_created_via(),
				'currency'     => $currency,
			)
		);
	}

	/**
	 * An amount in the currency's smallest units. Rounded first to the decimals that the shop keeps, as its API tells it.
	 *
	 * @param float  $amount   Not below zero.
	 * @param string $currency Its code.
	 */
	public static function minor( float $amount, string $currency ): string {
		$decimals = 2;
		if ( in_array( $currency, self::WITHOUT_DECIMALS, true ) ) {
			$decimals = 0;
		} elseif ( in_array( $currency, self::WITH_THREE, true ) ) {
			$decimals = 3;
		}
		$shown = round( max( 0.0, $amount ), wc_get_price_decimals() );
		return (string) (int) round( $shown * pow( 10, $decimals ) );
	}

	/**
	 * The question for the API, the currency added.
	 *
	 * @param string[]              $lines As `line` gives them.
	 * @param array<string, string> $rest  The other parameters.
	 * @return array<string, string>
	 */
	private static function wish( array $lines, array $rest = array() ): array {
		return array_merge( array( 'currency' => get_woocommerce_currency() ), $rest, array( 'lines' => implode( ',', $lines ) ) );
	}

	/**
	 * One line: product.variant.pieces.goods.discount.tax.gift_card
	 *
	 * @param WC_Product|false|null $product  False: it is gone.
	 * @param float                 $pieces   A begun piece counts whole.
	 * @param float                 $total    After discounts, without tax.
	 * @param float                 $before   Before discounts.
	 * @param float                 $tax      On the total.
	 * @param string                $currency Its code.
	 */
	private static function line( $product, float $pieces, float $total, float $before, float $tax, string $currency ): string {
		$is_variation = $product && $product->is_type( 'variation' );
		$id           = $product ? $product->get_id() : 0;
		$parent       = $is_variation ? wc_get_product( $product->get_parent_id() ) : $product;
		$is_gift_card = $parent && ( in_array( $parent->get_type(), self::GIFT_CARDS, true ) || 'yes' === $parent->get_meta( '_gift_card' ) );
		return implode(
			'.',
			array(
				(string) ( $is_variation ? $product->get_parent_id() : $id ),
				(string) ( $is_variation ? $id : 0 ),
				(string) (int) ceil( $pieces ),
				self::minor( $total, $currency ),
				self::minor( $before - $total, $currency ),
				self::minor( $tax, $currency ),
				$is_gift_card ? '1' : '0',
			)
		);
	}
}
